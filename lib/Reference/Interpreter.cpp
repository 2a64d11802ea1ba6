//===- Interpreter.cpp - runs blocks of ops on data -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::reference;

/// Calls nested deeper than this are taken for endless recursion.
static constexpr unsigned kMaxDepth = 256;

template <typename Scalar>
Interpreter<Scalar>::Interpreter() {
  addControlOps(*this);
  addArithOps(*this);
  addIntegerOps(*this);
  addTensorOps(*this);
  addLinalgOps(*this);
  addVectorOps(*this);
  addRecurrenceOps(*this);
  addAffineOps(*this);
  addTileOps(*this);
  addChunkOps(*this);
}

template <typename Scalar>
LogicalResult Interpreter<Scalar>::run(Block &block, Data<Scalar> &yielded) {
  if (failed(runBody(block)))
    return failure();
  yielded = take(block.getTerminator());
  return success();
}

template <typename Scalar>
LogicalResult Interpreter<Scalar>::runBody(Block &block) {
  findLastUses(block);
  for (Operation &op : block.without_terminator())
    if (failed(execute(&op)))
      return failure();
  return success();
}

template <typename Scalar>
LogicalResult Interpreter<Scalar>::execute(Operation *op) {
  auto handler = handlers.find(op->getName().getTypeID());
  if (handler == handlers.end())
    return fail(op, "unknown op '" + op->getName().getStringRef() + "'");
  Data<Scalar> args = take(op), results;
  if (failed(handler->second(*this, op, args, results)))
    return failure();
  for (auto [value, datum] : llvm::zip_equal(op->getResults(), results)) {
    if (!fitsType(value.getType(), datum.shape()))
      return fail(op, "'" + op->getName().getStringRef() +
                          "' returns a tensor of shape " +
                          spell(datum.shape()) + " for its type");
    environment[value] = std::move(datum);
  }
  return success();
}

template <typename Scalar>
LogicalResult Interpreter<Scalar>::call(Operation *caller, Region &body,
                                        Args<Scalar> args,
                                        Data<Scalar> &results) {
  if (!body.hasOneBlock())
    return fail(caller, "expected a function of one block");
  if (++depth > kMaxDepth)
    return fail(caller, "calls are nested too deeply");
  llvm::DenseMap<Value, Datum<Scalar>> frame;
  std::swap(frame, environment);
  for (auto [value, datum] : llvm::zip_equal(body.getArguments(), args))
    bind(value, std::move(datum));
  LogicalResult result = run(body.front(), results);
  std::swap(frame, environment);
  --depth;
  return result;
}

template <typename Scalar>
Data<Scalar> Interpreter<Scalar>::take(Operation *op) {
  Data<Scalar> args;
  for (OpOperand &operand : op->getOpOperands()) {
    Datum<Scalar> &datum = environment.find(operand.get())->second;
    if (lastUses.contains(&operand))
      args.push_back(std::move(datum));
    else
      args.push_back(datum);
  }
  return args;
}

/// An operand is a value's last use if nothing later in the value's block, no
/// nested region and no other operand of the op uses it. A value of an outer
/// block is never taken: the block may run again.
template <typename Scalar>
void Interpreter<Scalar>::findLastUses(Block &block) {
  if (!prepared.insert(&block).second)
    return;
  llvm::DenseSet<Value> usedLater;
  for (Operation &op : llvm::reverse(block)) {
    for (Region &region : op.getRegions())
      region.walk([&](Operation *nested) {
        usedLater.insert(nested->operand_begin(), nested->operand_end());
      });
    for (OpOperand &operand : op.getOpOperands()) {
      Value value = operand.get();
      if (value.getParentBlock() == &block &&
          llvm::count(op.getOperands(), value) == 1 &&
          !usedLater.contains(value))
        lastUses.insert(&operand);
    }
    usedLater.insert(op.operand_begin(), op.operand_end());
  }
}

template <typename Scalar>
LogicalResult Interpreter<Scalar>::fail(Operation *op, const Twine &text) {
  if (!message.empty())
    return failure();
  llvm::raw_string_ostream stream(message);
  stream << "reference: " << text << " at " << op->getLoc();
  return failure();
}

template <typename Scalar>
llvm::Error Interpreter<Scalar>::takeError() {
  return llvm::createStringError(std::exchange(message, {}));
}

std::string reference::spell(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << '[';
  llvm::interleaveComma(shape, stream, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      stream << '?';
    else
      stream << size;
  });
  stream << ']';
  return text;
}

std::optional<int64_t> reference::checkedSize(ArrayRef<int64_t> shape) {
  constexpr int64_t kMaxElements = int64_t(1) << 40;
  int64_t size = 1;
  for (int64_t extent : shape)
    if (extent < 0)
      return std::nullopt;
  if (llvm::is_contained(shape, 0))
    return 0;
  for (int64_t extent : shape)
    if (llvm::MulOverflow(size, extent, size) || size > kMaxElements)
      return std::nullopt;
  return size;
}

SmallVector<int64_t, 4> reference::stridesOf(ArrayRef<int64_t> shape) {
  SmallVector<int64_t, 4> strides(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i)
    strides[i - 2] = strides[i - 1] * shape[i - 1];
  return strides;
}

bool reference::fitsType(Type type, ArrayRef<int64_t> shape) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped) // a readout is a value vector
    return shape.size() <= 1;
  return shaped.getRank() == static_cast<int64_t>(shape.size()) &&
         llvm::all_of(llvm::zip(shaped.getShape(), shape), [](auto pair) {
           auto [wanted, found] = pair;
           return ShapedType::isDynamic(wanted) || wanted == found;
         });
}

bool reference::isReal(Type type) {
  return isa<FloatType>(getElementTypeOrSelf(type));
}

template class reference::Interpreter<long double>;
template class reference::Interpreter<double>;
template class reference::Interpreter<float>;
template class reference::Interpreter<Exact>;
