//===- Bulk.cpp - TMA and bulk copies -------------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "TensorMapImpl.h"

#include <cstring>

using namespace qdelta::emulator;

void BulkCopy::complete(Block &block) {
  if (done)
    return;
  done = true;
  for (const BulkPiece &piece : pieces) {
    if (!toShared && piece.global)
      std::memcpy(piece.global, piece.shared, piece.bytes);
    else if (toShared && piece.global)
      std::memcpy(piece.shared, piece.global, piece.bytes);
    else if (toShared)
      std::memset(piece.shared, 0, piece.bytes);
  }
  if (toShared)
    completeBytes(block, mbarrier, bytes, release);
}

namespace {
/// The shared side is accessed in the async proxy, knowing what the thread
/// does.
Accessor bulkAccessor(const Thread &thread, const Operation &op,
                      const BulkCopy &copy) {
  Accessor accessor = thread.block->accessor(thread, op);
  if (copy.toShared) {
    const Mbarrier &m = thread.block->mbarriers[copy.mbarrier];
    accessor.agent = m.agent;
    accessor.clock = m.clock;
  } else {
    accessor.agent = thread.agents[kOwnStores];
    accessor.clock = thread.bulks.clock;
  }
  accessor.inOrder = false;
  accessor.asyncProxy = true;
  return accessor;
}

/// Lists the pieces of a tile, rows of which are contiguous but for swizzling.
/// False, after a report, when memory that the map covers is no buffer.
bool addTile(Thread &thread, const Operation &op, const TensorMapContent &map,
             const int32_t *coordinates, uint64_t address, BulkCopy &copy) {
  Block &block = *thread.block;
  uint32_t index[kMaxRank] = {};
  uint32_t units = map.boxBytes() / 16,
           rowUnits = map.box[0] * map.elementBytes / 16;
  uint32_t perUnit = 16 / map.elementBytes;
  for (uint32_t unit = 0; unit < units; ++unit) {
    uint8_t *shared =
        block.storage.shared() +
        Block::sharedOffset(swizzled(address + 16 * uint64_t(unit),
                                     static_cast<Swizzle>(map.swizzle)));
    bool inside = true;
    uint64_t row = map.base;
    for (uint32_t d = 1; d < map.rank; ++d) {
      int64_t at = coordinates[d] + int64_t(index[d]) * map.steps[d];
      inside &= at >= 0 && at <= map.sizes[d];
      row += at * map.strides[d];
    }
    // Elements of a unit that follow each other are one piece.
    uint32_t first = unit % rowUnits * perUnit;
    for (uint32_t e = 0; e < perUnit; ++e) {
      int64_t at = coordinates[0] + int64_t(first + e) * map.steps[0];
      bool isIn = inside && at >= 0 && at <= map.sizes[0];
      uint8_t *global = nullptr;
      if (isIn) {
        global = block.global(thread, op, row + at * map.elementBytes,
                              map.elementBytes, !copy.toShared);
        if (!global)
          return false;
      }
      uint8_t *to = shared + e * map.elementBytes;
      BulkPiece *last = copy.pieces.empty() ? nullptr : &copy.pieces.back();
      bool joins =
          last && last->shared + last->bytes == to &&
          (global ? last->global && last->global + last->bytes == global
                  : !last->global);
      if (joins)
        last->bytes += map.elementBytes;
      else
        copy.pieces.push_back({to, global, map.elementBytes});
    }
    if ((unit + 1) % rowUnits == 0)
      for (uint32_t d = 1; d < map.rank; ++d) {
        if (++index[d] < map.box[d])
          break;
        index[d] = 0;
      }
  }
  return true;
}

/// Checks the shared side of the copy, and that it is known to be ordered.
bool checkShared(Thread &thread, const Operation &op, uint64_t address,
                 const BulkCopy &copy) {
  Block &block = *thread.block;
  if (!block.shared(thread, op, address, copy.bytes))
    return false;
  if (!block.checks())
    return true;
  uint32_t offset = Block::sharedOffset(address);
  if (copy.toShared)
    block.shadow.write(bulkAccessor(thread, op, copy), offset, copy.bytes);
  else
    block.shadow.read(bulkAccessor(thread, op, copy), offset, copy.bytes);
  return true;
}

/// What those learn that wait for a load: what its thread knew, and the copy.
void issueLoad(Thread &thread, BulkCopy copy) {
  Block &block = *thread.block;
  ReleaseSum sum;
  sum.reset(block.clocks);
  sum.known.add(thread.known, thread.agents);
  sum.fenced.add(thread.fenced, thread.agents);
  const Mbarrier &m = block.mbarriers[copy.mbarrier];
  sum.known.add(m.agent, m.clock);
  copy.release = sum.freeze(block.clocks);
  if (block.plan.config.completion == Completion::Eager) {
    copy.complete(block);
    return;
  }
  for (const BulkPiece &piece : copy.pieces)
    std::memset(piece.shared, 0xff, piece.bytes);
  block.inFlight.push_back(std::move(copy));
}

void issueStore(Thread &thread, const Operation &op, BulkCopy copy) {
  if (thread.block->completesAtOnce())
    copy.complete(*thread.block);
  thread.bulks.open.push_back(std::move(copy));
  thread.bulks.last = &op;
}

bool checkMbarrier(Thread &thread, const Operation &op, uint64_t address,
                   BulkCopy &copy) {
  Block &block = *thread.block;
  copy.mbarrier = Block::sharedOffset(address);
  auto found = block.mbarriers.find(copy.mbarrier);
  if (found == block.mbarriers.end() || !found->second.valid) {
    block.report(ReportKind::Mbarrier, thread, op,
                 "completes on " + block.sharedName(copy.mbarrier) +
                     ", which is no initialised mbarrier");
    return false;
  }
  if (block.checks())
    block.shadow.useMbarrier(block.accessor(thread, op), copy.mbarrier);
  return true;
}

enum Kind { kTensorLoad, kTensorStore, kBulkLoad, kBulkStore };

/// Arguments of a load: shared address, mbarrier, map, coordinates; of a store:
/// shared address, map, coordinates.
void runTensor(Context *context, const Operation *op, uint64_t *arguments,
               uint64_t *) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  ++block.counts.bulkCopies;
  BulkCopy copy;
  copy.toShared = op->variant == kTensorLoad;
  uint64_t address = arguments[0];
  uint64_t *rest = arguments + (copy.toShared ? 2 : 1);
  // Maps may be parameters or in global memory.
  void *bytes = kEntries.generic(
      context, rest[0], packAccess(sizeof(TensorMap), 64, kLoad), op->index);
  std::optional<TensorMapContent> map = decode(bytes);
  if (!map || map->rank != static_cast<uint32_t>(op->size)) {
    block.report(ReportKind::TensorMap, thread, *op,
                 map ? "has a map of rank " + std::to_string(map->rank)
                     : std::string("has no tensor map"));
    return;
  }
  // The hardware asks for 128 bytes; a swizzle repeats after its rows.
  uint64_t alignment =
      std::max<uint64_t>(128, map->swizzle ? 128ull << map->swizzle : 0);
  if (!block.checkAlignment(thread, *op, address, alignment))
    return;
  copy.bytes = map->boxBytes();
  if (copy.toShared && !checkMbarrier(thread, *op, arguments[1], copy))
    return;
  int32_t coordinates[kMaxRank] = {};
  for (int32_t d = 0; d < op->size; ++d)
    coordinates[d] = static_cast<int32_t>(rest[1 + d]);
  if (!checkShared(thread, *op, address, copy) ||
      !addTile(thread, *op, *map, coordinates, address, copy))
    return;
  if (copy.toShared)
    issueLoad(thread, std::move(copy));
  else
    issueStore(thread, *op, std::move(copy));
}

/// Arguments of a load: shared address, mbarrier, source, bytes; of a store:
/// destination, shared address, bytes.
void runBulk(Context *context, const Operation *op, uint64_t *arguments,
             uint64_t *) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  ++block.counts.bulkCopies;
  BulkCopy copy;
  copy.toShared = op->variant == kBulkLoad;
  uint64_t shared = arguments[copy.toShared ? 0 : 1];
  uint64_t global = arguments[copy.toShared ? 2 : 0];
  copy.bytes = arguments[copy.toShared ? 3 : 2];
  if (!block.checkAlignment(thread, *op, shared, 16) ||
      !block.checkAlignment(thread, *op, global, 16) ||
      !block.checkAlignment(thread, *op, copy.bytes, 16))
    return;
  if (copy.toShared && !checkMbarrier(thread, *op, arguments[1], copy))
    return;
  uint8_t *bytes =
      block.global(thread, *op, global, copy.bytes, !copy.toShared);
  if (!bytes || !checkShared(thread, *op, shared, copy))
    return;
  copy.pieces.push_back({block.storage.shared() + Block::sharedOffset(shared),
                         bytes, copy.bytes});
  if (copy.toShared)
    issueLoad(thread, std::move(copy));
  else
    issueStore(thread, *op, std::move(copy));
}

void runCommit(Context *context, const Operation *, uint64_t *, uint64_t *) {
  Thread &thread = threadOf(context);
  thread.bulks.groups.push_back(
      {std::move(thread.bulks.open), thread.bulks.clock++});
  thread.bulks.open.clear();
}

/// Argument: groups left pending. Waiting for the reads only is the same here:
/// nothing watches global memory.
void runWait(Context *context, const Operation *, uint64_t *arguments,
             uint64_t *) {
  Thread &thread = threadOf(context);
  auto &groups = thread.bulks.groups;
  for (; groups.size() > arguments[0]; groups.pop_front()) {
    for (BulkCopy &copy : groups.front().copies)
      copy.complete(*thread.block);
    uint32_t &known = thread.known.own[kOwnStores];
    known = std::max(known, groups.front().clock);
  }
}
} // namespace

// cp.async.bulk.tensor.{g2s[.cta],s2g}.tile.Nd,
// cp.async.bulk.{global.to.shared.{cta,cluster},shared.cta.to.global},
// cp.async.bulk.{commit,wait}.group[.read]
bool qdelta::emulator::bindBulk(Operation &op) {
  NameParts parts(op.name);
  if (parts[0] != "cp" || parts[1] != "async" || parts[2] != "bulk")
    return false;
  if (parts[3] == "tensor") {
    size_t next = parts[4] == "g2s" && parts[5] == "cta" ? 6 : 5;
    op.variant = parts[4] == "g2s" ? kTensorLoad : kTensorStore;
    op.handler = runTensor;
    std::string_view rank = parts[next + 1];
    op.size = rank.ends_with('d') ? parseNumber(rank.substr(0, 1)) : -1;
    return (parts[4] == "g2s" || parts[4] == "s2g") && parts[next] == "tile" &&
           parts.size() == next + 2 && rank.size() == 2 && op.size >= 1 &&
           op.size <= 5;
  }
  if (op.name == "cp.async.bulk.global.to.shared.cta" ||
      op.name == "cp.async.bulk.global.to.shared.cluster") {
    op.variant = kBulkLoad;
    op.handler = runBulk;
  } else if (op.name == "cp.async.bulk.shared.cta.to.global") {
    op.variant = kBulkStore;
    op.handler = runBulk;
  } else if (op.name == "cp.async.bulk.commit.group") {
    op.handler = runCommit;
  } else if (op.name == "cp.async.bulk.wait.group" ||
             op.name == "cp.async.bulk.wait.group.read") {
    op.handler = runWait;
  }
  return op.handler != nullptr;
}
