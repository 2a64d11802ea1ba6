//===- StateRole.cpp - the role that carries the state --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "StateRole.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

LogicalResult qdelta::gpu::emitStateRole(Kernel &kernel, Num chunks,
                                         llvm::function_ref<void(Num)> load,
                                         llvm::function_ref<void()> endOfChunk) {
  Emitter &e = kernel.e;
  Plan &plan = kernel.plan;
  std::unique_ptr<Products> products = Products::create(kernel);
  load(e.i32(0));
  Fragment state = loadState(kernel, kernel.inputs() - 1);
  endOfChunk();
  load(e.i32(1));
  endOfChunk();
  bool failed_ = false;
  state = e.loop(
      e.i32(0), chunks, 1, state, [&](Num index, ArrayRef<Num> values) {
        load(index + 2);
        ColumnValues chunk(kernel, *products, index * plan.chunk,
                           kernel.stage(index % Plan::kStages),
                           kernel.slot(index & 1), Fragment(values));
        auto next = chunk.run();
        endOfChunk();
        failed_ |= failed(next);
        return failed(next) ? Fragment(values) : *next;
      });
  storeState(kernel,
             kernel.inputs() + plan.func.getNumResults() - 1, state);
  return failure(failed_);
}
