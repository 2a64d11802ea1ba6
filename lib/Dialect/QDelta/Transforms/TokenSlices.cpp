//===- TokenSlices.cpp - runs of a sequence's tokens ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "TokenSlices.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qdelta;

namespace {
struct Run {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  Run(OpBuilder &b, Location loc, Value sequence, OpFoldResult from,
      OpFoldResult count)
      : sizes(tensor::getMixedSizes(b, loc, sequence)) {
    offsets.assign(sizes.size(), b.getIndexAttr(0));
    strides.assign(sizes.size(), b.getIndexAttr(1));
    offsets[1] = from, sizes[1] = count;
  }
};
} // namespace

Value qdelta::takeTokens(OpBuilder &b, Location loc, Value sequence,
                         OpFoldResult from, OpFoldResult count) {
  Run run(b, loc, sequence, from, count);
  return tensor::ExtractSliceOp::create(b, loc, sequence, run.offsets,
                                        run.sizes, run.strides);
}

Value qdelta::putTokens(OpBuilder &b, Location loc, Value part, Value sequence,
                        OpFoldResult from, OpFoldResult count) {
  Run run(b, loc, sequence, from, count);
  return tensor::InsertSliceOp::create(b, loc, part, sequence, run.offsets,
                                       run.sizes, run.strides);
}
