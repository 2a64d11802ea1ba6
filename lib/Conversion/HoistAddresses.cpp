//===- HoistAddresses.cpp - addresses before the loops they do not need ---===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// An access to a buffer of several dimensions multiplies each index by a stride
// and adds them up, where it stands. Code generation does not move that out of
// a loop over one of them. Here the indices that a loop does not change pick a
// part of the buffer before it, loop by loop from the outermost one, and what
// is left to the access are the indices that do change.
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace qdelta {
#define GEN_PASS_DEF_HOISTADDRESSES
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// The buffer and the indices of an access; no buffer for other ops.
struct Access {
  OpOperand *buffer;
  MutableOperandRange indices;
};

std::optional<Access> accessOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Access>>(op)
      .Case([](memref::LoadOp load) {
        return Access{&load.getMemrefMutable(), load.getIndicesMutable()};
      })
      .Case([](memref::StoreOp store) {
        return Access{&store.getMemrefMutable(), store.getIndicesMutable()};
      })
      .Case<vector::TransferReadOp, vector::TransferWriteOp>(
          [](auto transfer) -> std::optional<Access> {
            if (transfer.getMask() || transfer.getTransferRank() != 1 ||
                !transfer.getPermutationMap().isMinorIdentity())
              return std::nullopt;
            return Access{&transfer.getBaseMutable(),
                          transfer.getIndicesMutable()};
          })
      .Default([](Operation *) { return std::nullopt; });
}

bool isOutside(Value value, Operation *loop) {
  return !loop->isAncestor(value.getParentBlock()->getParentOp());
}

/// Before `loop`, picks the part of the buffer at those indices of the access
/// that are the same throughout the loop; the last one stays.
void hoist(Operation *op, Access access, scf::ForOp loop) {
  Value buffer = access.buffer->get();
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<Value> indices(OperandRange(access.indices)), left;
  if (!isOutside(buffer, loop))
    return;
  OpBuilder b(loop);
  Location loc = op->getLoc();
  SmallVector<OpFoldResult> offsets, sizes,
      strides(indices.size(), b.getIndexAttr(1));
  SmallVector<int64_t> shape;
  bool any = false;
  for (auto [dim, index] : llvm::enumerate(indices)) {
    bool isPicked = dim + 1 < indices.size() && isOutside(index, loop);
    any |= isPicked && !matchPattern(index, m_Zero());
    if (isPicked) {
      offsets.push_back(index);
      sizes.push_back(b.getIndexAttr(1));
      continue;
    }
    // Which of several dimensions of one element is left would be a guess.
    if (type.getDimSize(dim) == 1)
      return;
    left.push_back(index);
    offsets.push_back(b.getIndexAttr(0));
    shape.push_back(type.getDimSize(dim));
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(b, loc, buffer, dim).getResult());
    else
      sizes.push_back(b.getIndexAttr(type.getDimSize(dim)));
  }
  if (!any)
    return;
  auto picked = memref::SubViewOp::inferRankReducedResultType(
      shape, type, offsets, sizes, strides);
  access.buffer->set(memref::SubViewOp::create(
      b, loc, cast<MemRefType>(picked), buffer, offsets, sizes, strides));
  access.indices.assign(left);
  auto narrow = [&](auto transfer) {
    transfer.setPermutationMap(
        AffineMap::getMinorIdentityMap(left.size(), 1, transfer.getContext()));
  };
  if (auto read = dyn_cast<vector::TransferReadOp>(op))
    narrow(read);
  if (auto write = dyn_cast<vector::TransferWriteOp>(op))
    narrow(write);
}

struct HoistAddressesPass
    : qdelta::impl::HoistAddressesBase<HoistAddressesPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> accesses;
      func.walk([&](Operation *op) {
        if (accessOf(op))
          accesses.push_back(op);
      });
      for (Operation *op : accesses) {
        SmallVector<scf::ForOp> loops;
        for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
             loop = loop->getParentOfType<scf::ForOp>())
          loops.push_back(loop);
        for (scf::ForOp loop : llvm::reverse(loops))
          hoist(op, *accessOf(op), loop);
      }
    }
  }
};
} // namespace
