//===- Shadow.h - who touched shared memory last ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// A cell for every two bytes of shared memory holds the last write and the
// reads since, each as an agent and its clock at the time (FastTrack). An
// access is a race when a conflicting one is newer than what the accessor knows
// of that agent. docs/Rationale/emulator.md has the model.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_SHADOW_H
#define QDELTA_EMULATOR_SHADOW_H

#include "Clock.h"
#include "Operation.h"
#include "ShadowCell.h"
#include "qdelta/Emulator/Report.h"

#include <functional>

namespace qdelta::emulator {

/// One access: who, when, what is known, and how.
struct Accessor {
  const Knowledge *known;
  /// The part of `known` that a proxy fence covers.
  const Knowledge *fenced;
  const OwnAgents *ids;
  uint32_t agent;
  uint32_t clock;
  /// Threads do things in program order, asynchronous agents do not.
  bool inOrder = true;
  bool asyncProxy = false;
  bool atomic = false;
  const Operation *op;
};

/// The shadow of one block's shared memory.
class Shadow {
public:
  /// A conflict at byte `offset` with what `otherAgent` did in `otherOp`, an
  /// index of an operation.
  struct Conflict {
    ReportKind kind;
    uint32_t offset;
    uint32_t otherAgent;
    uint32_t otherOp;
  };
  using Sink = std::function<void(const Accessor &, const Conflict &)>;
  static constexpr uint32_t kNone = ~0u;

  /// Forgets everything, for a block with so many bytes.
  void reset(uint32_t bytes, Sink sink);

  /// Marks bytes between variables, which nothing may touch.
  void addGap(uint32_t offset, uint32_t bytes);

  /// Whether the thread has made the same access since its last event and
  /// nobody another one since, so that neither finds nor changes anything. What
  /// most accesses are, and all that they cost then.
  bool isOwnRead(uint32_t thread, uint32_t clock, uint32_t offset,
                 uint32_t bytes) const {
    uint64_t who = clock | uint64_t(thread) << kAgentShift;
    for (const Cell *cell = cellAt(offset), *end = endCell(offset + bytes);
         cell != end; ++cell)
      if (((cell->read ^ (who | kSingle)) & (kWhoMask | kSingle | kSeveral)) &&
          (cell->read || !cell->isWrittenBy(who)))
        return false;
    return true;
  }
  bool isOwnWrite(uint32_t thread, uint32_t clock, uint32_t offset,
                  uint32_t bytes) const {
    uint64_t who = clock | uint64_t(thread) << kAgentShift;
    for (const Cell *cell = cellAt(offset), *end = endCell(offset + bytes);
         cell != end; ++cell)
      if (cell->read || !cell->isWrittenBy(who))
        return false;
    return true;
  }

  /// Accesses of bytes that are in bounds.
  void read(const Accessor &accessor, uint32_t offset, uint32_t bytes);
  void write(const Accessor &accessor, uint32_t offset, uint32_t bytes);

  /// Makes eight bytes an mbarrier (a write), or plain bytes again.
  void beginMbarrier(const Accessor &accessor, uint32_t offset);
  void endMbarrier(uint32_t offset);
  /// An mbarrier operation: must be ordered after the init.
  void useMbarrier(const Accessor &accessor, uint32_t offset);

  /// All threads have met: reads that threads made before are ordered before
  /// everything to come.
  void allThreadsMet() { ++generation; }

private:
  using Cell = ShadowCell;
  static uint64_t pack(const Accessor &accessor, uint64_t flags);
  static void compact(std::vector<uint64_t> &words);

  const Cell *cellAt(uint32_t offset) const {
    return cells.data() + offset / kGranule;
  }
  const Cell *endCell(uint32_t end) const {
    return cells.data() + (end + kGranule - 1) / kGranule;
  }
  /// The reads of a cell by several agents that are not ordered, as words. An
  /// agent may be there more than once; what counts is its last clock.
  struct Readers {
    std::vector<uint64_t> words;
    /// Of the last read.
    uint32_t generation = 0;
    bool asynchronous = false;
  };

  bool isOrdered(uint64_t word, const Accessor &accessor) const;
  void checkAfterWrite(Cell &cell, const Accessor &accessor, bool writes);
  void checkAfterReads(const Cell &cell, const Accessor &accessor);
  uint64_t addRead(uint64_t word, uint64_t mine, const Accessor &accessor);
  void dropReaders(uint64_t word);
  uint32_t newReaders();
  /// Whether all reads are by threads that have met since.
  bool isStale(const Readers &readers) const {
    return readers.generation < generation && !readers.asynchronous;
  }
  void conflict(ReportKind kind, const Cell &cell, uint64_t word,
                const Accessor &accessor);

  Sink sink;
  uint32_t generation = 1;
  std::vector<Cell> cells;
  std::vector<Readers> pool;
  std::vector<uint32_t> unused;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_SHADOW_H
