//===- BlockReports.cpp - what a block says about itself ------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

using namespace qdelta::emulator;

static std::string print(Dim3 position) {
  return "block (" + std::to_string(position.x) + "," +
         std::to_string(position.y) + "," + std::to_string(position.z) + ")";
}

std::string Block::agentName(uint32_t agent) const {
  if (agent < numThreads)
    return "thread " + std::to_string(agent);
  if (agent < 2 * numThreads)
    return "cp.async of thread " + std::to_string(agent - numThreads);
  if (agent < 3 * numThreads)
    return "bulk store of thread " + std::to_string(agent - 2 * numThreads);
  if (agent < 3 * numThreads + warpgroups.size())
    return "wgmma of warpgroup " + std::to_string(agent - 3 * numThreads);
  for (const auto &[offset, m] : mbarriers)
    if (m.agent == agent)
      return "bulk load for the mbarrier at " + sharedName(offset);
  return "bulk load";
}

std::string Block::sharedName(uint32_t offset) const {
  std::string text = "smem+" + std::to_string(offset);
  for (const SharedVariable &variable : program.variables)
    if (offset >= variable.offset && offset < variable.offset + variable.bytes)
      return text + " (" + variable.name + "+" +
             std::to_string(offset - variable.offset) + ")";
  return text;
}

Accessor Block::accessor(const Thread &thread, const Operation &op) const {
  Accessor accessor;
  accessor.known = &thread.known;
  accessor.fenced = &thread.fenced;
  accessor.ids = &thread.agents;
  accessor.agent = thread.index;
  accessor.clock = thread.clock();
  accessor.op = &op;
  return accessor;
}

void Block::addReport(Report report, const Operation &op,
                      const Operation *other) {
  report.text = std::string(name(report.kind)) + ": " + print(position) + " " +
                report.text;
  report.block = position;
  report.site.op = op.name;
  report.site.location = op.location;
  if (other) {
    report.other.op = other->name;
    report.other.location = other->location;
  }
  ReportKind kind = report.kind;
  findings.add(std::move(report));
  findings.remember(kind, &op, other);
}

void Block::report(ReportKind kind, const Thread &thread, const Operation &op,
                   const std::string &what, const Operation *other) {
  if (findings.countAgain(kind, &op, other))
    return;
  Report report;
  report.kind = kind;
  report.thread = thread.index;
  report.site.agent = agentName(thread.index);
  report.text = report.site.agent + " at " + describe(op) + " " + what;
  addReport(std::move(report), op, other);
}

void Block::onConflict(const Accessor &accessor,
                       const Shadow::Conflict &conflict) {
  const Operation *other = conflict.otherOp == Shadow::kNone
                               ? nullptr
                               : &program.operations[conflict.otherOp];
  if (findings.countAgain(conflict.kind, accessor.op, other))
    return;
  Report report;
  report.kind = conflict.kind;
  uint32_t agent = accessor.agent;
  uint32_t warpgroup = agent - 3 * numThreads;
  if (agent < 3 * numThreads)
    report.thread = agent % numThreads;
  else if (warpgroup < warpgroups.size())
    report.thread = 128 * warpgroup;
  report.site.agent = agentName(agent);
  if (conflict.otherAgent != Shadow::kNone)
    report.other.agent = agentName(conflict.otherAgent);
  std::string who = report.site.agent + " at " + describe(*accessor.op) + " ";
  std::string where = sharedName(conflict.offset);
  std::string earlier =
      other ? report.other.agent + " at " + describe(*other) : std::string();
  switch (conflict.kind) {
  case ReportKind::ReadAfterWrite:
    report.text =
        who + "reads " + where + ", not ordered after the write by " + earlier;
    break;
  case ReportKind::WriteAfterWrite:
    report.text =
        who + "writes " + where + ", not ordered after the write by " + earlier;
    break;
  case ReportKind::WriteAfterRead:
    report.text =
        who + "writes " + where + ", not ordered after the read by " + earlier;
    break;
  case ReportKind::MissingProxyFence:
    report.text = who + "touches, in the async proxy, " + where +
                  ", without fence.proxy.async after the write by " + earlier;
    break;
  case ReportKind::Uninitialised:
    report.text = who + "reads " + where + ", which nothing has written";
    break;
  case ReportKind::MbarrierClobber:
    report.text =
        who + "touches " + where + ", an mbarrier that " + earlier + " made";
    break;
  default:
    report.text = who + "touches " + where + ", between two variables";
  }
  addReport(std::move(report), *accessor.op, other);
}

void Block::reportDeadlock() {
  // Threads that wait for the same at the same place are one clause.
  std::map<std::string, std::pair<uint32_t, uint32_t>> groups;
  const Thread *first = nullptr;
  const Operation *other = nullptr;
  for (const Thread *thread : threads) {
    if (thread->state != Thread::State::Waiting || !thread->op)
      continue;
    if (!first)
      first = thread;
    else if (!other && thread->op != first->op)
      other = thread->op;
    std::string key = describe(*thread->op) + " for " + thread->waitingFor;
    if (auto m = mbarriers.find(thread->waitingAt);
        thread->polls && m != mbarriers.end())
      key += " at " + sharedName(m->first) + " (phase " +
             std::to_string(m->second.phase) + ", " +
             std::to_string(m->second.pending) + " of " +
             std::to_string(m->second.count) + " arrivals and " +
             std::to_string(m->second.bytes) + " bytes pending)";
    auto &group = groups.try_emplace(key, 0u, thread->index).first->second;
    ++group.first;
  }
  std::string what = "nothing can go on:";
  for (const auto &[key, group] : groups)
    what += " [" + std::to_string(group.first) + " threads, the first is " +
            std::to_string(group.second) + ", wait at " + key + "]";
  for (uint32_t i = 0; i < 16; ++i)
    if (barriers[i].active)
      what +=
          " [barrier " + std::to_string(i) + ": " +
          std::to_string(barriers[i].arrived) + " of " +
          std::to_string(barriers[i].expected ? barriers[i].expected : live) +
          " arrived]";
  Operation unknown;
  unknown.name = "unknown";
  if (!first)
    first = threads.front();
  report(ReportKind::Deadlock, *first, first->op ? *first->op : unknown, what,
         other);
}

void Block::checkAtExit(Thread &thread) {
  if (thread.bulks.last &&
      (!thread.bulks.open.empty() || !thread.bulks.groups.empty()))
    report(ReportKind::AsyncAtExit, thread, *thread.bulks.last,
           "ends without waiting for its bulk stores");
  if (thread.wgmma.last &&
      (thread.wgmma.open || thread.wgmma.committed > thread.wgmma.waited))
    report(ReportKind::AsyncAtExit, thread, *thread.wgmma.last,
           "ends without waiting for its wgmma");
}

void Block::checkMbarriers() {
  for (const auto &[offset, m] : mbarriers)
    if (m.valid && (m.pending != m.count || m.bytes != 0))
      report(ReportKind::MbarrierAtExit, *threads.front(), *m.init,
             "made an mbarrier, " + sharedName(offset) +
                 ", that the block leaves in the middle of phase " +
                 std::to_string(m.phase) + ": " + std::to_string(m.pending) +
                 " of " + std::to_string(m.count) + " arrivals and " +
                 std::to_string(m.bytes) + " bytes pending");
}
