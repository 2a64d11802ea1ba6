//===- ChunkToGpu.cpp - from chunk kernels to programs of GPU threads -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "../DescribeArguments.h"
#include "Copies.h"
#include "Gram.h"
#include "StateRole.h"

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

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

static LLVM::LLVMFuncOp createFunction(ModuleOp module, Plan &plan) {
  OpBuilder b(plan.func);
  MLIRContext *context = b.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  size_t maps = plan.byTensorMaps ? plan.tiles.size() : 0;
  auto kernel = LLVM::LLVMFuncOp::create(
      b, plan.func.getLoc(), plan.func.getSymName(),
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                  SmallVector<Type>(1 + maps, pointer)));
  int64_t arguments = plan.func.getNumArguments() + plan.func.getNumResults();
  auto words = LLVM::LLVMArrayType::get(b.getI64Type(), 5 * arguments + 3);
  kernel.setArgAttr(0, LLVM::LLVMDialect::getByValAttrName(),
                    TypeAttr::get(words));
  kernel.setArgAttr(0, NVVM::NVVMDialect::getGridConstantAttrName(),
                    b.getUnitAttr());
  SmallVector<int64_t> mapped;
  for (size_t i = 0; i < maps; ++i) {
    auto map = static_cast<unsigned>(1 + i);
    kernel.setArgAttr(
        map, LLVM::LLVMDialect::getByValAttrName(),
        TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), 128)));
    kernel.setArgAttr(map, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(64));
    kernel.setArgAttr(map, NVVM::NVVMDialect::getGridConstantAttrName(),
                      b.getUnitAttr());
    mapped.push_back(plan.tiles[i].argument);
  }
  kernel->setAttr("qdelta.tensor_maps", b.getDenseI64ArrayAttr(mapped));
  kernel->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel->setAttr(
      NVVM::NVVMDialect::getMaxntidAttrName(),
      b.getDenseI32ArrayAttr({static_cast<int32_t>(plan.threads()), 1, 1}));
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  b.getI32IntegerAttr(1));
  for (StringRef name :
       {StringRef(kRecurrenceAttr), StringRef("qdelta.schedule")})
    if (Attribute attr = plan.func->getAttr(name))
      kernel->setAttr(name, attr);
  SmallVector<Type> types(plan.func.getArgumentTypes());
  llvm::append_range(types, plan.func.getResultTypes());
  if (RecurrenceOp recurrence = recurrenceOf(plan.func))
    kernel->setAttr(kArgumentsAttr, describeArguments(types, recurrence));
  kernel->setAttr("qdelta.threads", b.getI64IntegerAttr(plan.threads()));
  kernel->setAttr("qdelta.shared_bytes", b.getI64IntegerAttr(plan.sharedBytes));
  kernel->setAttr("qdelta.columns", b.getI64IntegerAttr(plan.columns));
  return kernel;
}

static LogicalResult convert(ModuleOp module, func::FuncOp func,
                             const GpuTarget &target) {
  FailureOr<Plan> plan = Plan::get(func, target);
  if (failed(plan))
    return failure();
  LLVM::GlobalOp shared = sharedMemory(module);
  LLVM::LLVMFuncOp function = createFunction(module, *plan);
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
