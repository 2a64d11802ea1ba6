//===- TokenValues.cpp - the scalars of a chunk's tokens, in lanes --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Gram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

static constexpr double kLog2E = 1.4426950408889634;
/// 2^-160 is 0 in f32, and sums of a chunk's logs stay small enough for their
/// differences to be exact in the places that matter.
static constexpr double kSmallestLog2 = -160;

Num TokenValues::tokenOf(Plan &plan, const Lane &x, int64_t i) {
  int64_t each = perLane(plan);
  return (x.lane & (plan.chunk / each - 1)) * each + i;
}

Fragment TokenValues::load(Kernel &kernel, const Lane &x, LoadTileOp load,
                           Num first) {
  Emitter &e = kernel.e;
  unsigned argument = kernel.plan.argumentOf(load.getSource());
  bool isParameter = load.getIndices().size() == 1;
  Fragment values;
  for (int64_t i = 0; i < perLane(kernel.plan); ++i) {
    Value base = kernel.base(argument);
    if (isParameter) {
      values.push_back(e.load(base, e.f32Type()));
      continue;
    }
    Num token = first + tokenOf(kernel.plan, x, i);
    Num present = token < kernel.length();
    Num safe = e.select(present, token, e.i32(0));
    Num value = e.load(e.at(base, e.widen(safe) * kernel.rowStride(argument)),
                       e.f32Type());
    values.push_back(e.select(present, value, e.f32(0)));
  }
  return values;
}

FailureOr<Fragment> TokenValues::get(Value value) {
  auto known = values.find(value);
  if (known != values.end())
    return known->second;
  Operation *op = value.getDefiningOp();
  FailureOr<Fragment> made = make(op);
  if (succeeded(made))
    values[value] = *made;
  return made;
}

FailureOr<Fragment> TokenValues::cumulative(ValueRange logs, int64_t place) {
  Cumulative wanted{llvm::to_vector(logs), place};
  for (auto &[known, sum] : sums)
    if (known == wanted)
      return sum;
  int64_t each = perLane(plan);
  // What each token adds up to its place, and as a whole.
  Fragment own(each, e.f32(0)), whole(each, e.f32(0));
  for (auto [i, log] : llvm::enumerate(logs)) {
    FailureOr<Fragment> values = get(log);
    if (failed(values))
      return failure();
    for (int64_t j = 0; j < each; ++j) {
      Num scaled =
          e.maximum((*values)[j] * e.f32(kLog2E), e.f32(kSmallestLog2));
      whole[j] = whole[j] + scaled;
      if (static_cast<int64_t>(i) < place)
        own[j] = own[j] + scaled;
    }
  }
  // The sum before this lane: a scan over the lanes that hold the chunk.
  int64_t lanes = plan.chunk / each;
  Num place_ = x.lane & (lanes - 1), lane = whole[0];
  for (int64_t j = 1; j < each; ++j)
    lane = lane + whole[j];
  Num scan = lane;
  for (int64_t by = 1; by < lanes; by *= 2)
    scan = e.select(place_ >= by, scan + e.shuffleUp(scan, by), scan);
  Num before = e.select(place_ >= 1, e.shuffleUp(scan, 1), e.f32(0));
  Fragment result;
  for (int64_t j = 0; j < each; ++j) {
    result.push_back(before + own[j]);
    before = before + whole[j];
  }
  sums.emplace_back(wanted, result);
  return result;
}

FailureOr<Num> TokenValues::total(ValueRange logs) {
  auto sum = cumulative(logs, static_cast<int64_t>(logs.size()));
  if (failed(sum))
    return failure();
  return e.shuffleFrom(sum->back(), plan.chunk / perLane(plan) - 1);
}

FailureOr<Fragment> TokenValues::decay(ChunkDecayOp op) {
  ValueRange logs = op.getLogs();
  int64_t each = perLane(plan);
  if (op.getTo()) {
    auto sum = cumulative(logs, *op.getTo());
    if (failed(sum))
      return failure();
    Fragment result;
    for (Num value : *sum)
      result.push_back(e.exp2(value));
    return result;
  }
  FailureOr<Num> whole = total(logs);
  if (failed(whole))
    return failure();
  if (!op.getFrom())
    return Fragment(each, e.exp2(*whole));
  auto sum = cumulative(logs, *op.getFrom());
  if (failed(sum))
    return failure();
  Fragment result;
  for (Num value : *sum)
    result.push_back(e.exp2(*whole - value));
  return result;
}

FailureOr<Num> TokenValues::elementwise(Operation *op, ArrayRef<Num> operands) {
  Num x = operands[0];
  auto approximate = [&](StringRef name, Num value) {
    return e.intrinsic(name, {value}, e.f32Type())[0];
  };
  if (isa<arith::TruncFOp, arith::ExtFOp>(op))
    return x;
  if (isa<ScaleOp>(op))
    return x * operands[1];
  if (isa<math::ExpOp>(op))
    return e.exp2(x * e.f32(kLog2E));
  if (isa<math::Exp2Op>(op))
    return e.exp2(x);
  if (isa<math::LogOp>(op))
    return approximate("llvm.nvvm.lg2.approx.ftz.f", x) * e.f32(1 / kLog2E);
  if (isa<math::RsqrtOp>(op))
    return approximate("llvm.nvvm.rsqrt.approx.ftz.f", x);
  if (isa<math::SqrtOp>(op))
    return approximate("llvm.nvvm.sqrt.rn.f", x);
  if (op->getName().getDialectNamespace() != "arith") {
    op->emitOpError("is not lowered for GPUs yet for scalars of a token");
    return failure();
  }
  SmallVector<Value> values(operands.begin(), operands.end());
  bool isTruth = getElementTypeOrSelf(op->getResult(0)).isInteger(1);
  Type type = isTruth ? Type(e.b.getI1Type()) : e.f32Type();
  Operation *made = e.b.create(op->getLoc(), op->getName().getIdentifier(),
                               values, type, op->getAttrs());
  return e.num(made->getResult(0));
}

FailureOr<Fragment> TokenValues::make(Operation *op) {
  int64_t each = perLane(plan);
  DenseElementsAttr splat;
  FloatAttr scalar;
  if (matchPattern(op, m_Constant(&splat)) && splat.isSplat())
    return Fragment(each,
                    e.f32(splat.getSplatValue<APFloat>().convertToDouble()));
  if (matchPattern(op, m_Constant(&scalar)))
    return Fragment(each, e.f32(scalar.getValueAsDouble()));
  if (auto valid = dyn_cast<ChunkValidOp>(op)) {
    Fragment result;
    for (int64_t i = 0; i < each; ++i)
      result.push_back(first + tokenOf(plan, x, i) < kernel.length());
    return result;
  }
  if (auto load = dyn_cast<LoadTileOp>(op))
    return TokenValues::load(kernel, x, load, first);
  if (auto decay_ = dyn_cast<ChunkDecayOp>(op))
    return decay(decay_);
  SmallVector<Fragment> operands;
  for (Value operand : op->getOperands()) {
    FailureOr<Fragment> values = get(operand);
    if (failed(values))
      return failure();
    operands.push_back(*values);
  }
  Fragment result;
  for (int64_t i = 0; i < each; ++i) {
    SmallVector<Num> parts;
    for (Fragment &operand : operands)
      parts.push_back(operand[i]);
    if (isa<arith::SelectOp>(op)) {
      result.push_back(e.select(parts[0], parts[1], parts[2]));
      continue;
    }
    FailureOr<Num> made = elementwise(op, parts);
    if (failed(made))
      return failure();
    result.push_back(*made);
  }
  return result;
}

void TokenValues::store(const Fragment &values, Num address) {
  int64_t each = perLane(plan);
  Num at = address + tokenOf(plan, x, 0) * 4;
  if (each == 2)
    return e.storeSharedPair(at, values[0], values[1]);
  if (plan.chunk >= 32)
    return e.storeShared(values[0], at);
  e.when(x.lane < plan.chunk, [&] { e.storeShared(values[0], at); });
}
