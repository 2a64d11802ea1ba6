//===- Wgmma.cpp - wgmma.mma_async and its groups -------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// The product is computed when the last of the 128 threads issues it; that it
// is asynchronous shows in the shadow, which holds its reads of shared memory
// open until the group is waited for, and in the check of accumulators that is
// done when a kernel is prepared.
//
//===----------------------------------------------------------------------===//

#include "WgmmaOperand.h"

#include <algorithm>

using namespace qdelta::emulator;

namespace {
constexpr uint32_t kM = 64;

/// What all members know: the product must not read what one of them does not
/// know to be written.
struct CommonKnowledge {
  Knowledge known, fenced;
  OwnAgents ids;

  explicit CommonKnowledge(const Warpgroup &group) {
    const Thread &first = *group.members.front();
    ClockSpace &clocks = first.block->clocks;
    ids.fill(~0u);
    ids[kOwnWgmma] = group.agent;
    known = first.known;
    fenced = first.fenced;
    for (const Thread *thread : group.members) {
      meet(known.base, seenKnown, thread->known.base, clocks);
      meet(fenced.base, seenFenced, thread->fenced.base, clocks);
      known.own[kOwnWgmma] =
          std::min(known.own[kOwnWgmma], thread->known.own[kOwnWgmma]);
      fenced.own[kOwnWgmma] =
          std::min(fenced.own[kOwnWgmma], thread->fenced.own[kOwnWgmma]);
    }
  }

private:
  /// Members mostly know the same few vectors.
  using Seen = std::vector<ClockVector>;

  static void meet(ClockVector &all, Seen &seen, const ClockVector &other,
                   ClockSpace &clocks) {
    if (std::find(seen.begin(), seen.end(), other) != seen.end())
      return;
    seen.push_back(other);
    all = clocks.meet(all, other);
  }

  Seen seenKnown, seenFenced;
};

/// Of the accumulators: element i of a thread.
uint32_t accumulatorIndex(const Thread &thread, uint32_t i, uint32_t n) {
  uint32_t warp = thread.index / 32 % 4;
  uint32_t row = 16 * warp + thread.lane / 4 + 8 * (i >> 1 & 1);
  return row * n + 8 * (i >> 2) + 2 * (thread.lane % 4) + (i & 1);
}

void checkUniform(const Warpgroup &group, const Operation &op,
                  uint32_t firstDescriptor, uint32_t numDescriptors) {
  const Thread &first = *group.members.front();
  for (Thread *thread : group.members)
    for (uint32_t i = 0; i < numDescriptors; ++i)
      if (thread->arguments[firstDescriptor + i] !=
          first.arguments[firstDescriptor + i]) {
        thread->block->report(ReportKind::WgmmaDescriptor, *thread, op,
                              "gives another descriptor or scale than thread " +
                                  std::to_string(first.index));
        return;
      }
}

void multiply(Warpgroup &group, const Operation &op) {
  const WgmmaShape &shape = op.wgmma;
  Thread &first = *group.members.front();
  Block &block = *first.block;
  uint32_t accumulators = shape.n / 2;
  uint32_t descriptorA = accumulators;
  uint32_t descriptorB = accumulators + (shape.registersA ? 4 : 1);
  uint32_t scaleD = descriptorB + 1;
  checkUniform(group, op, shape.registersA ? descriptorB : descriptorA,
               scaleD + 1 - (shape.registersA ? descriptorB : descriptorA));

  WgmmaBuffers buffers(block.storage);
  uint32_t depth = shape.type == MatrixType::TF32 ? 8 : 16;
  WgmmaReader reader(block, first, op);
  if (shape.registersA)
    readRegistersA(group, shape.type, descriptorA, buffers.a);
  else
    reader.readA(first.arguments[descriptorA], buffers.a);
  reader.readB(first.arguments[descriptorB], buffers.b);
  if (block.checks()) {
    CommonKnowledge common(group);
    Accessor accessor;
    accessor.known = &common.known;
    accessor.fenced = &common.fenced;
    accessor.ids = &common.ids;
    accessor.agent = group.agent;
    accessor.clock = group.clock;
    accessor.inOrder = false;
    accessor.asyncProxy = true;
    accessor.op = &op;
    reader.checkReads(accessor);
  }

  bool accumulate = first.arguments[scaleD] & 1;
  for (Thread *thread : group.members)
    for (uint32_t i = 0; i < accumulators; ++i)
      buffers.d[accumulatorIndex(*thread, i, shape.n)] =
          accumulate ? asFloat(thread->arguments[i]) : 0;
  if (shape.negateA != shape.negateB)
    for (uint32_t i = 0; i < kM * depth; ++i)
      buffers.a[i] = -buffers.a[i];
  multiplyInto(buffers.d, buffers.a, buffers.b, kM, depth, shape.n);
  for (Thread *thread : group.members)
    for (uint32_t i = 0; i < accumulators; ++i)
      thread->results[i] =
          asBits(buffers.d[accumulatorIndex(*thread, i, shape.n)]);
  ++block.counts.wgmma;
}

/// Whether the thread is in a whole warpgroup.
bool checkWarpgroup(Thread &thread, const Operation &op) {
  if (thread.warpgroup->members.size() == 128)
    return true;
  thread.block->report(ReportKind::WarpDivergence, thread, op,
                       "needs a whole warpgroup, but the block ends in the "
                       "middle of one");
  return false;
}

void runWgmma(Context *context, const Operation *op, uint64_t *arguments,
              uint64_t *results) {
  Thread &thread = threadOf(context);
  Block &block = *thread.block;
  Warpgroup &group = *thread.warpgroup;
  if (!checkWarpgroup(thread, *op))
    return;
  if (!thread.wgmma.fenced)
    block.report(
        ReportKind::WgmmaFence, thread, *op,
        "is not preceded by wgmma.fence since its registers were free");
  ++thread.wgmma.open;
  thread.wgmma.last = op;
  thread.op = op;
  thread.arguments = arguments;
  thread.results = results;
  if (!group.waiting.empty() && group.waiting.front()->op != op)
    block.report(ReportKind::WarpDivergence, thread, *op,
                 "meets threads of its warpgroup that are at " +
                     describe(*group.waiting.front()->op),
                 group.waiting.front()->op);
  group.waiting.push_back(&thread);
  if (group.waiting.size() < group.members.size()) {
    block.wait(thread, "threads of its warpgroup");
    return;
  }
  multiply(group, *op);
  for (Thread *member : group.waiting)
    block.wake(*member);
  group.waiting.clear();
}

void runFence(Context *context, const Operation *op, uint64_t *, uint64_t *) {
  Thread &thread = threadOf(context);
  if (checkWarpgroup(thread, *op))
    thread.wgmma.fenced = true;
}

/// The first thread to commit a group closes it for all.
void runCommit(Context *context, const Operation *op, uint64_t *, uint64_t *) {
  Thread &thread = threadOf(context);
  Warpgroup &group = *thread.warpgroup;
  if (!checkWarpgroup(thread, *op))
    return;
  if (group.committed.size() <= thread.wgmma.committed)
    group.committed.push_back(group.clock++);
  ++thread.wgmma.committed;
  thread.wgmma.open = 0;
}

/// Argument: groups left pending.
void runWait(Context *context, const Operation *op, uint64_t *arguments,
             uint64_t *) {
  Thread &thread = threadOf(context);
  Warpgroup &group = *thread.warpgroup;
  WgmmaState &state = thread.wgmma;
  if (!checkWarpgroup(thread, *op))
    return;
  uint32_t left = arguments[0];
  if (state.committed > left && state.committed - left > state.waited) {
    state.waited = state.committed - left;
    uint32_t &known = thread.known.own[kOwnWgmma];
    known = std::max(known, group.committed[state.waited - 1]);
  }
  if (left == 0) {
    state.fenced = false;
    if (state.open)
      thread.block->report(ReportKind::AsyncAtExit, thread, *op,
                           "waits for all groups, but wgmma are not committed",
                           state.last);
  }
}

std::string_view chop(std::string_view &text, size_t count) {
  std::string_view head = text.substr(0, count);
  text.remove_prefix(std::min(count, text.size()));
  return head;
}
} // namespace

// wgmma.{fence,commit_group,wait_group}.sync.aligned and
// wgmma.mma_async.m64nNkK.TYPE.{desc,regs}[.ta][.tb][.na][.nb]: operands by
// descriptor or in registers, transposed, negated
bool qdelta::emulator::bindWgmma(Operation &op) {
  if (op.name == "wgmma.fence.sync.aligned")
    op.handler = runFence;
  else if (op.name == "wgmma.commit_group.sync.aligned")
    op.handler = runCommit;
  else if (op.name == "wgmma.wait_group.sync.aligned")
    op.handler = runWait;
  if (op.handler)
    return true;
  NameParts parts(op.name);
  if (parts[0] != "wgmma" || parts[1] != "mma_async")
    return false;
  std::string_view size = parts[2];
  if (chop(size, 4) != "m64n")
    return false;
  int32_t n = parseNumber(chop(size, size.find('k')));
  WgmmaShape &shape = op.wgmma;
  if (parts[3] == "f16" && size == "k16")
    shape.type = MatrixType::F16;
  else if (parts[3] == "bf16" && size == "k16")
    shape.type = MatrixType::BF16;
  else if (parts[3] == "tf32" && size == "k8")
    shape.type = MatrixType::TF32;
  else
    return false;
  if (n < 8 || n > 256 || n % 8 || (parts[4] != "desc" && parts[4] != "regs") ||
      !parts.restIn(5, {"ta", "tb", "na", "nb"}))
    return false;
  shape.n = n;
  shape.registersA = parts[4] == "regs";
  shape.transposeA = parts.has("ta");
  shape.transposeB = parts.has("tb");
  shape.negateA = parts.has("na");
  shape.negateB = parts.has("nb");
  op.handler = runWgmma;
  return true;
}
