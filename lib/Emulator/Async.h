//===- Async.h - copies and multiplications under way -----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_ASYNC_H
#define QDELTA_EMULATOR_ASYNC_H

#include "Barriers.h"

#include <deque>

namespace qdelta::emulator {

struct TensorTile;

/// A cp.async: `bytes` from `source` and zeros up to `size`.
struct CopyAsync {
  uint8_t *destination = nullptr;
  const uint8_t *source = nullptr;
  uint32_t size = 0, bytes = 0;
  bool done = false;

  void complete();
};

/// The copies between two commits, and the clock of their agent then.
template <typename Copy>
struct CopyGroup {
  std::vector<Copy> copies;
  uint32_t clock = 0;
};

/// A thread's cp.async.
struct CopyQueue {
  std::vector<CopyAsync> open;
  std::deque<CopyGroup<CopyAsync>> groups;
  uint32_t clock = 1;
};

/// Contiguous bytes of a bulk copy, on both sides. `global` null: zeros to
/// load, nothing to store.
struct BulkPiece {
  uint8_t *shared;
  uint8_t *global;
  uint32_t bytes;
};

/// A bulk or tensor copy.
struct BulkCopy {
  bool toShared = false;
  std::vector<BulkPiece> pieces;
  /// Of a load: the mbarrier, what it is told, what its waiters learn.
  uint32_t mbarrier = 0;
  uint32_t bytes = 0;
  Release release;
  bool done = false;

  void complete(Block &block);
};

/// A thread's bulk stores.
struct BulkQueue {
  std::vector<BulkCopy> open;
  std::deque<CopyGroup<BulkCopy>> groups;
  uint32_t clock = 1;
  const Operation *last = nullptr;
};

/// A thread's part in the wgmma of its warpgroup.
struct WgmmaState {
  /// Groups committed; wgmma since the last commit; whether a fence came since
  /// the registers were last free.
  uint32_t committed = 0;
  uint32_t open = 0;
  uint32_t waited = 0;
  bool fenced = false;
  const Operation *last = nullptr;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_ASYNC_H
