//===- Widths.cpp - how a warp shares the vectors of a prescan ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Widths.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

static constexpr int64_t kWarp = 32;

FailureOr<Widths> Widths::get(PrescanOp op) {
  Widths result;
  auto isVector = [](Value value) {
    return isa<RankedTensorType>(value.getType());
  };
  for (auto [arg, operand] :
       llvm::zip(op.getBody().getArguments(), op->getOperands().drop_front()))
    if (isVector(arg))
      result.widths[arg] =
          cast<RankedTensorType>(operand.getType()).getShape().back();
  for (Operation &inner : op.getBody().front().without_terminator()) {
    if (inner.getNumResults() != 1 || inner.getNumRegions() != 0)
      return inner.emitOpError("is not lowered for GPUs yet in the step of a "
                               "token");
    Value made = inner.getResult(0);
    DenseElementsAttr constant;
    if (!isVector(made))
      continue;
    int64_t width = 0;
    // Of a rotation the vector comes first, of all others any vector will do.
    for (Value operand : llvm::reverse(inner.getOperands()))
      if (int64_t known = result.widths.lookup(operand))
        width = known;
    if (matchPattern(&inner, m_Constant(&constant)))
      width = constant.getNumElements();
    if (width == 0)
      return inner.emitOpError("makes a vector of no known dimension");
    result.widths[made] = width;
    if (isa<RotateOp>(inner))
      result.rotated.insert(width);
  }
  return result;
}

SmallVector<Widths::Part> Widths::partsOf(int64_t width) const {
  SmallVector<Part> parts;
  if (rotated.contains(width)) {
    parts = partsOf(width / 2);
    for (Part part : SmallVector<Part>(parts)) {
      part.first += width / 2;
      parts.push_back(part);
    }
    return parts;
  }
  constexpr int64_t kLongestRun = 8;
  auto each = static_cast<uint64_t>(llvm::divideCeil(width, kWarp));
  int64_t run = std::min<int64_t>(llvm::PowerOf2Ceil(each), kLongestRun);
  while (width % run)
    run /= 2;
  for (int64_t first = 0; first < width; first += kWarp * run)
    parts.push_back({first, run, first + kWarp * run <= width});
  return parts;
}

SmallVector<Piece> Widths::pieces(Emitter &e, int64_t width, Num lane) const {
  if (width == 0)
    return {{e.i32(0), Num(), 1}};
  SmallVector<Piece> pieces;
  for (const Part &part : partsOf(width)) {
    Num first = lane * part.run + part.first;
    bool isPaired = rotated.contains(width);
    int64_t end = isPaired && part.first < width / 2 ? width / 2 : width;
    pieces.push_back(
        {first, part.whole ? Num() : first < e.i32(end), part.run});
  }
  return pieces;
}

size_t Widths::count(int64_t width) const {
  size_t count = 0;
  if (width == 0)
    return 1;
  for (const Part &part : partsOf(width))
    count += static_cast<size_t>(part.run);
  return count;
}
