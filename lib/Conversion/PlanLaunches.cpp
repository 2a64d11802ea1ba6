//===- PlanLaunches.cpp - calls of kernels as what the runtime launches ---===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DescribeArguments.h"
#include "ListToGpu/Memory.h"

#include "qdelta/Conversion/Passes.h"
#include "qdelta/Dialect/QDelta/Transforms/EntryPoints.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace qdelta {
#define GEN_PASS_DEF_PLANLAUNCHES
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {
/// The launch of one entry function.
class LaunchPlan {
public:
  explicit LaunchPlan(func::FuncOp func) : func(func), b(func) {}

  LogicalResult make();
  void replace();

private:
  /// The results of a kernel that have buffers of their own.
  ResultRange ownResults(func::CallOp call);
  void findReplaced(func::CallOp call);
  LogicalResult numberResults();
  /// The number of a tensor: one that is known, or that of a new workspace.
  int32_t numberOf(Value tensor);
  void addStep(func::CallOp call);

  func::FuncOp func;
  OpBuilder b;
  /// Which tensor a result of a kernel replaces.
  llvm::DenseMap<Value, Value> replaced;
  int32_t numBuffers = 0;
  llvm::DenseMap<Value, int32_t> numbers;
  SmallVector<Attribute> steps, workspaces;
};
} // namespace

/// The one op that a kernel is, besides transposes of its states, or null of a
/// function without a body.
static Operation *opOf(func::CallOp call) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
  if (!kernel || kernel.isExternal())
    return nullptr;
  return &*llvm::find_if_not(kernel.getBody().front(),
                             llvm::IsaPred<TransposeStateOp>);
}

static SmallVector<int64_t> replacedBy(func::CallOp call) {
  Operation *op = opOf(call);
  if (auto list = dyn_cast_or_null<AffineScanOp>(op))
    return gpu::KernelTensors::get(list).replaced();
  if (auto prescan = dyn_cast_or_null<PrescanOp>(op))
    return gpu::KernelTensors::get(prescan).replaced();
  return {};
}

/// The operands of a kernel that are tensors; a number of heads is none.
static SmallVector<Value> tensorsOf(func::CallOp call) {
  SmallVector<Value> tensors;
  for (Value operand : call.getOperands())
    if (isa<RankedTensorType>(operand.getType()))
      tensors.push_back(operand);
  return tensors;
}

ResultRange LaunchPlan::ownResults(func::CallOp call) {
  return call.getResults().drop_back(replacedBy(call).size());
}

void LaunchPlan::findReplaced(func::CallOp call) {
  SmallVector<Value> tensors = tensorsOf(call);
  SmallVector<int64_t> numbers = replacedBy(call);
  // A number of heads, which comes first, is no tensor.
  for (auto [result, number] :
       llvm::zip(call.getResults().take_back(numbers.size()), numbers))
    replaced[result] = tensors[number];
}

LogicalResult LaunchPlan::numberResults() {
  Block &body = func.getBody().front();
  for (BlockArgument argument : body.getArguments())
    numbers[argument] = numBuffers++;
  for (auto [index, result] :
       llvm::enumerate(body.getTerminator()->getOperands())) {
    bool isInPlace = isa_and_nonnull<BlockArgument>(replaced.lookup(result));
    if (isInPlace)
      continue;
    if (!result.getDefiningOp<func::CallOp>() ||
        !numbers.try_emplace(result, numBuffers++).second)
      return func.emitError("result ")
             << index << " is no result of a kernel, or the same as another";
  }
  return success();
}

/// Whether levels are heads of `tensor`: of what is seen so, and of what is
/// made of it but for sums over levels.
static bool hasLevelHeads(Value tensor) {
  Operation *maker = tensor.getDefiningOp();
  if (isa_and_nonnull<tensor::CollapseShapeOp>(maker))
    return true;
  auto call = dyn_cast_or_null<func::CallOp>(maker);
  return call && !isa_and_nonnull<AddLevelsOp>(opOf(call)) &&
         llvm::any_of(call.getOperands(), hasLevelHeads);
}

/// What is between kernels. Its encoding says whether levels are heads.
static RankedTensorType workspaceOf(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!hasLevelHeads(tensor))
    return type;
  return RankedTensorType::get(type.getShape(), type.getElementType(),
                               StringAttr::get(type.getContext(), kLevelHeads));
}

int32_t LaunchPlan::numberOf(Value tensor) {
  if (auto view = tensor.getDefiningOp<tensor::CollapseShapeOp>())
    tensor = view.getSrc();
  auto next = numBuffers + static_cast<int32_t>(workspaces.size());
  auto [known, isNew] = numbers.try_emplace(tensor, next);
  if (isNew)
    workspaces.push_back(TypeAttr::get(workspaceOf(tensor)));
  return known->second;
}

void LaunchPlan::addStep(func::CallOp call) {
  SmallVector<int32_t> tensors;
  for (Value operand : tensorsOf(call))
    tensors.push_back(numberOf(operand));
  auto inputs = static_cast<int64_t>(tensors.size());
  for (Value result : ownResults(call))
    tensors.push_back(numberOf(result));
  steps.push_back(b.getDictionaryAttr(
      {b.getNamedAttr("inputs", b.getI64IntegerAttr(inputs)),
       b.getNamedAttr("kernel", call.getCalleeAttr()),
       b.getNamedAttr("tensors", b.getDenseI32ArrayAttr(tensors))}));
}

LogicalResult LaunchPlan::make() {
  for (auto call : func.getBody().getOps<func::CallOp>())
    findReplaced(call);
  if (failed(numberResults()))
    return failure();
  for (Operation &op : func.getBody().front().without_terminator()) {
    if (auto call = dyn_cast<func::CallOp>(op))
      addStep(call);
    else if (!isa<tensor::DimOp, tensor::CollapseShapeOp, arith::ConstantOp>(
                 op))
      return op.emitOpError("is not lowered for GPUs beside the kernels of a "
                            "function");
  }
  return success();
}

void LaunchPlan::replace() {
  SmallVector<Type> types(func.getArgumentTypes());
  llvm::append_range(types, func.getResultTypes());
  auto launch = LLVM::LLVMFuncOp::create(
      b, func.getLoc(), func.getSymName(),
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {}));
  launch->setAttr(kRecurrenceAttr, func->getAttr(kRecurrenceAttr));
  launch->setAttr(kArgumentsAttr, describeArguments(types, recurrenceOf(func),
                                                    !replaced.empty()));
  launch->setAttr(kStepsAttr, b.getArrayAttr(steps));
  launch->setAttr(kWorkspacesAttr, b.getArrayAttr(workspaces));
  func.erase();
}

namespace {
struct PlanLaunchesPass : qdelta::impl::PlanLaunchesBase<PlanLaunchesPass> {
  void runOnOperation() override {
    for (auto func : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (!func->hasAttr(kRecurrenceAttr) || func.isExternal() ||
          func.getBody().getOps<func::CallOp>().empty())
        continue;
      LaunchPlan plan(func);
      if (failed(plan.make()))
        return signalPassFailure();
      plan.replace();
    }
  }
};
} // namespace
