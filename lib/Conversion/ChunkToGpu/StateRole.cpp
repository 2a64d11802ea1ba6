//===- StateRole.cpp - the role that carries the state --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "StateRole.h"

#include "Copies.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

LogicalResult qdelta::gpu::emitStateRole(Kernel &kernel, Num chunks) {
  Emitter &e = kernel.e;
  Plan &plan = kernel.plan;
  if (int64_t registers = plan.stateRegisters)
    e.intrinsic("llvm.nvvm.setmaxnreg.inc.sync.aligned.u32", {e.i32(registers)},
                {});
  auto load = [&](Num index) {
    startCopies(kernel, index, chunks, /*gramRole=*/false);
  };
  std::unique_ptr<Products> products = Products::create(kernel);
  load(e.i32(0));
  Fragment state = loadState(kernel, kernel.initialState());
  kernel.endChunk(/*gramRole=*/false);
  load(e.i32(1));
  kernel.endChunk(/*gramRole=*/false);
  bool failed_ = false;
  state =
      e.loop(e.i32(0), chunks, 1, state, [&](Num index, ArrayRef<Num> values) {
        load(index + 2);
        waitForTiles(kernel, index);
        ColumnValues chunk(kernel, *products, index * plan.chunk,
                           kernel.stage(index % Plan::kStages),
                           kernel.slot(index & 1), Fragment(values));
        auto next = chunk.run();
        kernel.endChunk(/*gramRole=*/false);
        failed_ |= failed(next);
        return failed(next) ? Fragment(values) : *next;
      });
  storeState(kernel, kernel.inputs() + plan.func.getNumResults() - 1, state);
  return failure(failed_);
}
