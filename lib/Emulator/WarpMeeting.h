//===- WarpMeeting.h - operations that lanes execute together ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_WARPMEETING_H
#define QDELTA_EMULATOR_WARPMEETING_H

#include "Block.h"

namespace qdelta::emulator {

/// What lanes may meet for; lanes of different kinds do not meet.
enum class Meeting : int32_t {
  Shuffle,
  Vote,
  Match,
  Reduce,
  Elect,
  Sync,
  Mma,
  LoadMatrix,
  StoreMatrix,
  MoveMatrix
};

/// Waits for all lanes of `mask` that have not ended, then has the last one
/// call `finish`. Gives no memory ordering by itself.
void meet(Thread &thread, const Operation &op, uint64_t *arguments,
          uint64_t *results, uint32_t mask, Meeting kind, Finish finish);

/// The same for `.aligned` operations of the whole warp, which must all come
/// from one place of the program.
void meetAligned(Thread &thread, const Operation &op, uint64_t *arguments,
                 uint64_t *results, Meeting kind, Finish finish);

/// Calls `body` with the thread of each lane in `lanes`.
template <typename Body>
void forLanes(Warp &warp, uint32_t lanes, Body body) {
  for (uint32_t lane = 0; lane < 32; ++lane)
    if (lanes >> lane & 1)
      body(*warp.lanes[lane]);
}

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_WARPMEETING_H
