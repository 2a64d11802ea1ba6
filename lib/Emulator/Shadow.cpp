//===- Shadow.cpp - who touched shared memory last ------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Shadow.h"

#include <algorithm>

using namespace qdelta::emulator;

uint64_t Shadow::pack(const Accessor &accessor, uint64_t flags) {
  return std::min<uint64_t>(accessor.clock, kMaxClock) |
         uint64_t(accessor.agent) << kAgentShift |
         uint64_t(accessor.op->index) << kOpShift | flags;
}

void Shadow::reset(uint32_t bytes, Sink newSink) {
  sink = std::move(newSink);
  generation = 1;
  cells.assign((bytes + kGranule - 1) / kGranule, Cell());
  unused.clear();
  for (uint32_t i = 0; i < pool.size(); ++i)
    unused.push_back(i);
}

void Shadow::addGap(uint32_t offset, uint32_t bytes) {
  // A granule that a variable shares with a gap belongs to the variable.
  uint32_t end = std::min<uint32_t>((offset + bytes) / kGranule, cells.size());
  for (uint32_t i = (offset + kGranule - 1) / kGranule; i < end; ++i)
    cells[i].write |= kGap;
}

bool Shadow::isOrdered(uint64_t word, const Accessor &accessor) const {
  uint32_t agent = agentOf(word);
  return (accessor.inOrder && agent == accessor.agent) ||
         clockOf(word) <= accessor.known->of(agent, *accessor.ids);
}

void Shadow::conflict(ReportKind kind, const Cell &cell, uint64_t word,
                      const Accessor &accessor) {
  uint32_t offset = (&cell - cells.data()) * kGranule;
  if (word & kWhoMask)
    sink(accessor, {kind, offset, agentOf(word), opOf(word)});
  else
    sink(accessor, {kind, offset, kNone, kNone});
}

void Shadow::checkAfterWrite(Cell &cell, const Accessor &accessor,
                             bool writes) {
  uint64_t word = cell.write;
  if (word & (kGap | kMbarrierCell)) {
    conflict(word & kGap ? ReportKind::SharedOutOfBounds
                         : ReportKind::MbarrierClobber,
             cell, word & kGap ? 0 : word, accessor);
    return;
  }
  if (!(word & kWritten)) {
    if (!writes) {
      conflict(ReportKind::Uninitialised, cell, 0, accessor);
      // Once is enough.
      cell.write |= kWritten;
    }
    return;
  }
  if (!isOrdered(word, accessor)) {
    if (!(accessor.atomic && (word & kAtomicWrite)))
      conflict(writes ? ReportKind::WriteAfterWrite
                      : ReportKind::ReadAfterWrite,
               cell, word, accessor);
    return;
  }
  if (accessor.asyncProxy && !(word & kAsync) &&
      clockOf(word) > accessor.fenced->of(agentOf(word), *accessor.ids))
    conflict(ReportKind::MissingProxyFence, cell, word, accessor);
}

void Shadow::checkAfterReads(const Cell &cell, const Accessor &accessor) {
  auto conflicts = [&](uint64_t word) {
    return !isOrdered(word, accessor) &&
           !(accessor.atomic && (word & kAtomicRead));
  };
  uint64_t word = cell.read;
  if (word & kSingle) {
    if (conflicts(word))
      conflict(ReportKind::WriteAfterRead, cell, word, accessor);
    return;
  }
  const Readers &readers = pool[indexOf(word)];
  if (isStale(readers))
    return;
  auto found =
      std::find_if(readers.words.begin(), readers.words.end(), conflicts);
  if (found != readers.words.end())
    conflict(ReportKind::WriteAfterRead, cell, *found, accessor);
}

uint32_t Shadow::newReaders() {
  if (unused.empty()) {
    unused.push_back(pool.size());
    pool.emplace_back();
  }
  uint32_t index = unused.back();
  unused.pop_back();
  pool[index].words.clear();
  pool[index].asynchronous = false;
  return index;
}

void Shadow::dropReaders(uint64_t word) {
  if (word & kSeveral)
    unused.push_back(indexOf(word));
}

/// Leaves the last clock of each agent, once there are many words.
void Shadow::compact(std::vector<uint64_t> &words) {
  auto who = [](uint64_t word) { return word & kWhoMask; };
  // By agent, then by clock: the agent is the upper part.
  std::sort(words.begin(), words.end(),
            [&](uint64_t a, uint64_t b) { return who(a) > who(b); });
  auto end =
      std::unique(words.begin(), words.end(), [](uint64_t a, uint64_t b) {
        return agentOf(a) == agentOf(b);
      });
  words.erase(end, words.end());
}

uint64_t Shadow::addRead(uint64_t word, uint64_t mine,
                         const Accessor &accessor) {
  if (!(word & kSeveral) && (word == 0 || isOrdered(word, accessor)))
    return mine;
  if ((word & kSeveral) && isStale(pool[indexOf(word)])) {
    dropReaders(word);
    return mine;
  }
  bool isNew = !(word & kSeveral);
  uint32_t index = isNew ? newReaders() : indexOf(word);
  Readers &readers = pool[index];
  if (isNew) {
    readers.words.push_back(word);
    readers.asynchronous = word & kAsyncRead;
  }
  readers.generation = generation;
  readers.asynchronous |= !accessor.inOrder;
  if (readers.words.back() != mine) {
    // Powers of two, so that many different readers are sorted seldom.
    size_t size = readers.words.size();
    if (size >= 64 && (size & (size - 1)) == 0)
      compact(readers.words);
    readers.words.push_back(mine);
  }
  return index | kSeveral;
}

void Shadow::read(const Accessor &accessor, uint32_t offset, uint32_t bytes) {
  uint64_t mine = pack(accessor, kSingle | (accessor.atomic ? kAtomicRead : 0) |
                                     (accessor.inOrder ? 0 : kAsyncRead));
  constexpr uint64_t same = kWhoMask | kSingle | kSeveral;
  uint64_t own = pack(accessor, kWritten);
  constexpr uint64_t sameWrite =
      kWhoMask | kWritten | kMbarrierCell | kGap | kAsync;
  uint64_t checked = ~uint64_t(0), seen = ~uint64_t(0), becomes = 0;
  Cell *end = cells.data() + (offset + bytes + kGranule - 1) / kGranule;
  for (Cell *cell = cells.data() + offset / kGranule; cell != end; ++cell) {
    // Read already since the last event of this thread, or written by itself
    // since and by nobody else.
    if (((cell->read ^ mine) & same) == 0)
      continue;
    if (accessor.inOrder && cell->read == 0 &&
        ((cell->write ^ own) & sameWrite) == 0)
      continue;
    if (cell->write != checked) {
      checkAfterWrite(*cell, accessor, false);
      checked = cell->write;
    }
    if (cell->read == seen) {
      cell->read = becomes;
      continue;
    }
    uint64_t before = cell->read;
    cell->read = addRead(before, mine, accessor);
    // A vector belongs to one cell; the single words may be copied.
    if (!((before | cell->read) & kSeveral)) {
      seen = before;
      becomes = cell->read;
    }
  }
}

void Shadow::write(const Accessor &accessor, uint32_t offset, uint32_t bytes) {
  uint64_t mine = pack(accessor, kWritten | (accessor.asyncProxy ? kAsync : 0) |
                                     (accessor.atomic ? kAtomicWrite : 0));
  constexpr uint64_t same =
      kWhoMask | kWritten | kMbarrierCell | kGap | kAsync | kAtomicWrite;
  uint64_t checked = ~uint64_t(0), checkedRead = 0;
  Cell *end = cells.data() + (offset + bytes + kGranule - 1) / kGranule;
  for (Cell *cell = cells.data() + offset / kGranule; cell != end; ++cell) {
    if (accessor.inOrder && cell->read == 0 &&
        ((cell->write ^ mine) & same) == 0)
      continue;
    if (cell->write != checked) {
      checked = cell->write;
      checkAfterWrite(*cell, accessor, true);
    }
    if (cell->read && cell->read != checkedRead) {
      checkedRead = cell->read;
      checkAfterReads(*cell, accessor);
      dropReaders(cell->read);
    }
    // What may not be written stays as it is.
    if (!(cell->write & (kGap | kMbarrierCell)))
      cell->write = mine;
    cell->read = 0;
  }
}

void Shadow::beginMbarrier(const Accessor &accessor, uint32_t offset) {
  endMbarrier(offset);
  write(accessor, offset, 8);
  for (uint32_t i = offset / kGranule; i < (offset + 8) / kGranule; ++i)
    cells[i].write |= kMbarrierCell;
}

void Shadow::endMbarrier(uint32_t offset) {
  for (uint32_t i = offset / kGranule; i < (offset + 8) / kGranule; ++i)
    cells[i].write &= ~kMbarrierCell;
}

void Shadow::useMbarrier(const Accessor &accessor, uint32_t offset) {
  const Cell &cell = cells[offset / kGranule];
  if ((cell.write & kMbarrierCell) && !isOrdered(cell.write, accessor))
    conflict(ReportKind::ReadAfterWrite, cell, cell.write, accessor);
}
