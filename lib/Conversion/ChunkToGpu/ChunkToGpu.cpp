//===- ChunkToGpu.cpp - from chunk kernels to programs of GPU threads -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "../KernelFunction.h"
#include "Copies.h"
#include "Gram.h"
#include "StateRole.h"

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace qdelta {
#define GEN_PASS_DEF_CHUNKTOGPU
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

/// The CTA's dynamic shared memory.
static constexpr StringLiteral kSharedName = "qdelta_shared";

static LLVM::GlobalOp sharedMemory(ModuleOp module) {
  if (auto known = module.lookupSymbol<LLVM::GlobalOp>(kSharedName))
    return known;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  // Of size 0 and external: what the launch gives. Tiles need 1024 bytes.
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  return LLVM::GlobalOp::create(b, module.getLoc(), type, /*isConstant=*/false,
                                LLVM::Linkage::External, kSharedName,
                                Attribute(), /*alignment=*/1024,
                                /*addrSpace=*/3);
}

static LLVM::LLVMFuncOp createFunction(Plan &plan) {
  int64_t width = std::min(plan.valueSize, plan.columns);
  KernelLaunch launch;
  launch.threads = plan.threads();
  launch.sharedBytes = plan.sharedBytes;
  launch.columns = plan.columns;
  launch.blocks = (plan.valueSize + width - 1) / width;
  if (plan.byTensorMaps)
    for (const Tile &tile : plan.tiles)
      launch.maps.push_back(tile.argument);
  return createKernelFunction(plan.func, launch);
}

static LogicalResult convert(ModuleOp module, func::FuncOp func,
                             const GpuTarget &target) {
  FailureOr<Plan> plan = Plan::get(func, target);
  if (failed(plan))
    return failure();
  LLVM::GlobalOp shared = sharedMemory(module);
  LLVM::LLVMFuncOp function = createFunction(*plan);
  Emitter e(func.getLoc(), func.getContext());
  e.b.setInsertionPointToStart(function.addEntryBlock(e.b));
  Value memory = LLVM::AddressOfOp::create(e.b, shared);
  Num base = e.num(LLVM::PtrToIntOp::create(e.b, e.i32Type(), memory));
  Kernel kernel(e, *plan, function.getArguments(), base);
  kernel.prepare();
  Num chunks = (kernel.length() + (plan->chunk - 1)) / plan->chunk;
  bool failed_ = false;
  e.branch(
      kernel.thread() < 32 * plan->stateWarps,
      [&] {
        failed_ |= failed(emitStateRole(kernel, chunks));
        return Fragment();
      },
      [&] {
        failed_ |= failed(emitGramRole(kernel, chunks));
        return Fragment();
      });
  LLVM::ReturnOp::create(e.b, ValueRange());
  if (failed_)
    return failure();
  func.erase();
  return success();
}

namespace {
struct ChunkToGpuPass : qdelta::impl::ChunkToGpuBase<ChunkToGpuPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto func : llvm::to_vector(module.getOps<func::FuncOp>())) {
      auto schedule = func->getAttrOfType<ScheduleAttr>("qdelta.schedule");
      if (!schedule || !schedule.getKernel())
        continue;
      const GpuTarget *target = findGpuTarget(schedule.getTarget());
      if (!target) {
        func.emitError("unknown GPU target '") << schedule.getTarget() << "'";
        return signalPassFailure();
      }
      if (failed(convert(module, func, *target)))
        return signalPassFailure();
    }
  }
};
} // namespace
