//===- MatrixAccess.cpp - ldmatrix, stmatrix, movmatrix -------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Lane l holds of an 8 x 8 matrix the elements (l/4, 2 (l%4)) and the next;
// with .trans, of its transpose.
//
//===----------------------------------------------------------------------===//

#include "WarpMeeting.h"

#include <cstring>

using namespace qdelta::emulator;

namespace {
struct Matrix {
  uint16_t at[8][8];

  uint32_t pair(uint32_t lane, bool transposed) const {
    uint32_t row = lane / 4, column = lane % 4 * 2;
    uint16_t low = transposed ? at[column][row] : at[row][column];
    uint16_t high = transposed ? at[column + 1][row] : at[row][column + 1];
    return low | uint32_t(high) << 16;
  }
  void setPair(uint32_t lane, bool transposed, uint32_t bits) {
    uint32_t row = lane / 4, column = lane % 4 * 2;
    (transposed ? at[column][row] : at[row][column]) = bits;
    (transposed ? at[column + 1][row] : at[row][column + 1]) = bits >> 16;
  }
};

/// The row that the thread's address names; null when it may not be touched.
uint8_t *rowOf(Thread &thread, const Operation &op, bool writes) {
  Block &block = *thread.block;
  uint64_t address = thread.arguments[0];
  if (!block.checkAlignment(thread, op, address, 16))
    return nullptr;
  uint8_t *row = block.shared(thread, op, address, 16);
  if (!row || !block.checks())
    return row;
  uint32_t offset = Block::sharedOffset(address);
  if (writes)
    block.shadow.write(block.accessor(thread, op), offset, 16);
  else
    block.shadow.read(block.accessor(thread, op), offset, 16);
  return row;
}

void finishLoad(Warp &warp, uint32_t, const Operation &op) {
  for (int32_t i = 0; i < op.size; ++i) {
    Matrix matrix;
    std::memset(&matrix, 0xff, sizeof(matrix));
    for (uint32_t r = 0; r < 8; ++r)
      if (uint8_t *row = rowOf(*warp.lanes[8 * i + r], op, false))
        std::memcpy(matrix.at[r], row, 16);
    for (uint32_t lane = 0; lane < 32; ++lane)
      warp.lanes[lane]->results[i] = matrix.pair(lane, op.flag);
  }
}

void finishStore(Warp &warp, uint32_t, const Operation &op) {
  for (int32_t i = 0; i < op.size; ++i) {
    Matrix matrix;
    for (uint32_t lane = 0; lane < 32; ++lane)
      matrix.setPair(lane, op.flag, warp.lanes[lane]->arguments[1 + i]);
    for (uint32_t r = 0; r < 8; ++r)
      if (uint8_t *row = rowOf(*warp.lanes[8 * i + r], op, true))
        std::memcpy(row, matrix.at[r], 16);
  }
}

void finishMove(Warp &warp, uint32_t, const Operation &) {
  Matrix matrix;
  for (uint32_t lane = 0; lane < 32; ++lane)
    matrix.setPair(lane, false, warp.lanes[lane]->arguments[0]);
  for (uint32_t lane = 0; lane < 32; ++lane)
    warp.lanes[lane]->results[0] = matrix.pair(lane, true);
}

void runLoad(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  meetAligned(threadOf(context), *op, a, r, Meeting::LoadMatrix, finishLoad);
}
void runStore(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  meetAligned(threadOf(context), *op, a, r, Meeting::StoreMatrix, finishStore);
}
void runMove(Context *context, const Operation *op, uint64_t *a, uint64_t *r) {
  meetAligned(threadOf(context), *op, a, r, Meeting::MoveMatrix, finishMove);
}
} // namespace

// {ld,st}matrix.sync.aligned.m8n8.x{1,2,4}[.trans].b16,
// movmatrix.sync.aligned.m8n8.trans.b16
bool qdelta::emulator::bindMatrixAccess(Operation &op) {
  if (op.name == "movmatrix.sync.aligned.m8n8.trans.b16") {
    op.handler = runMove;
    return true;
  }
  NameParts parts(op.name);
  if ((parts[0] != "ldmatrix" && parts[0] != "stmatrix") ||
      parts[1] != "sync" || parts[2] != "aligned" || parts[3] != "m8n8")
    return false;
  op.handler = parts[0] == "ldmatrix" ? runLoad : runStore;
  op.size = parts[4].starts_with("x") ? parseNumber(parts[4].substr(1)) : -1;
  op.flag = parts[5] == "trans";
  size_t last = op.flag ? 6 : 5;
  return (op.size == 1 || op.size == 2 || op.size == 4) &&
         parts[last] == "b16" && parts.size() == last + 1;
}
