//===- Chunk.cpp - write each list as chunks of one triangular system -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkLoops.h"

#include "qdelta/Dialect/QDelta/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace qdelta {
#define GEN_PASS_DEF_CHUNK
#include "qdelta/Dialect/QDelta/Transforms/Passes.h.inc"
} // namespace qdelta

using namespace mlir;
using namespace qdelta;

namespace {

/// One list in chunks: the loop over batch entries and heads.
class ChunkForm {
public:
  explicit ChunkForm(AffineScanOp op) : op(op), b(op), loc(op.getLoc()) {}

  LogicalResult build();

private:
  SmallVector<Value> sequenceHeads(Value head);
  Value dim(Value tensor, int64_t index) {
    return tensor::DimOp::create(b, loc, tensor, index);
  }

  AffineScanOp op;
  OpBuilder b;
  Location loc;
  Value valueHeads;
};

/// For each operand, the head that value head `head` reads: head / (HV / H).
SmallVector<Value> ChunkForm::sequenceHeads(Value head) {
  SmallVector<Value> heads;
  for (Value token : op.getTokens()) {
    Value ratio = arith::DivUIOp::create(b, loc, valueHeads, dim(token, 2));
    heads.push_back(arith::DivUIOp::create(b, loc, head, ratio));
  }
  heads.append(op.getParams().size(), head);
  return heads;
}

LogicalResult ChunkForm::build() {
  FailureOr<ChunkList> list = ChunkList::get(op);
  if (failed(list))
    return failure();
  Value init = op.getInits()[0], tokens = op.getTokens()[0];
  for (Type type : op.getOperandTypes())
    if (llvm::is_contained(cast<RankedTensorType>(type).getShape(), 0))
      return op.emitError("there is nothing to chunk in an operand that is "
                          "always empty: ")
             << type << "; a dynamic size may be 0 at run time";
  Value batches = dim(init, 0), length = dim(tokens, 1);
  valueHeads = dim(init, 1);
  SmallVector<Value> shared;
  for (Value result : op.getResults()) {
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<OpFoldResult> shape{
        batches, result == op.getFinals()[0] ? valueHeads : length,
        result == op.getFinals()[0]
            ? OpFoldResult(b.getIndexAttr(type.getDimSize(2)))
            : OpFoldResult(valueHeads),
        b.getIndexAttr(type.getDimSize(3))};
    for (auto [size, known] : llvm::zip(shape, type.getShape()))
      if (!ShapedType::isDynamic(known))
        size = b.getIndexAttr(known);
    shared.push_back(
        tensor::EmptyOp::create(b, loc, shape, type.getElementType()));
  }

  ScheduleAttr schedule = *op.getSchedule();
  bool kernel = schedule.getKernel();
  int64_t values = cast<RankedTensorType>(init.getType()).getDimSize(3);
  int64_t width = kernel ? std::min(values, schedule.getColumns()) : values;
  SmallVector<OpFoldResult> bounds{batches, valueHeads};
  if (kernel)
    bounds.push_back(b.getIndexAttr(llvm::divideCeil(values, width)));
  auto forall = scf::ForallOp::create(b, loc, bounds, shared, std::nullopt);
  b.setInsertionPoint(forall.getTerminator());
  Value batch = forall.getInductionVar(0), head = forall.getInductionVar(1);
  HeadContext context{op, *list, batch, head, sequenceHeads(head), length};

  // Each item works on its own slices of the results, and of their columns.
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult column = zero, columns = b.getIndexAttr(width);
  Value firstColumn;
  if (kernel) {
    Value block = forall.getInductionVar(2);
    Value step = arith::ConstantIndexOp::create(b, loc, width);
    firstColumn = arith::MulIOp::create(b, loc, block, step);
    column = firstColumn;
    if (values % width) {
      Value all = arith::ConstantIndexOp::create(b, loc, values);
      Value left = arith::SubIOp::create(b, loc, all, firstColumn);
      columns = arith::MinUIOp::create(b, loc, left, step).getResult();
    }
  }
  SmallVector<Value> slices;
  struct Slice {
    SmallVector<OpFoldResult> offsets, sizes;
  };
  SmallVector<Slice> places;
  SmallVector<OpFoldResult> strides(4, one);
  for (auto [index, arg] : llvm::enumerate(forall.getRegionIterArgs())) {
    auto type = cast<RankedTensorType>(arg.getType());
    bool isFinal = index + 1 == forall.getRegionIterArgs().size();
    OpFoldResult rows = b.getIndexAttr(type.getDimSize(2));
    Slice place =
        isFinal
            ? Slice{{batch, head, zero, column}, {one, one, rows, columns}}
            : Slice{{batch, zero, head, column}, {one, length, one, columns}};
    slices.push_back(tensor::ExtractSliceOp::create(b, loc, arg, place.offsets,
                                                    place.sizes, strides));
    places.push_back(std::move(place));
  }
  if (failed(kernel ? createKernel(b, loc, context, firstColumn, slices)
                    : createHead(b, loc, context, slices)))
    return failure();
  b.setInsertionPointToStart(forall.getTerminator().getBody());
  for (auto [slice, place, arg] :
       llvm::zip(slices, places, forall.getRegionIterArgs()))
    tensor::ParallelInsertSliceOp::create(b, loc, slice, arg, place.offsets,
                                          place.sizes, strides);

  if (auto func = op->getParentOfType<func::FuncOp>()) {
    func->setAttr("qdelta.schedule", op.getScheduleAttr());
  }
  op.replaceAllUsesWith(forall);
  op.erase();
  return success();
}

struct ChunkPass : qdelta::impl::ChunkBase<ChunkPass> {
  void runOnOperation() override {
    SmallVector<AffineScanOp> lists;
    getOperation().walk([&](AffineScanOp op) { lists.push_back(op); });
    for (AffineScanOp op : lists) {
      if (!op.getSchedule()) {
        op.emitError("has no schedule; run -qdelta-select-schedule first");
        return signalPassFailure();
      }
      if (op.getSchedule()->isTokenLoop())
        continue;
      if (failed(ChunkForm(op).build()))
        return signalPassFailure();
    }
  }
};
} // namespace
