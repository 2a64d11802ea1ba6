//===- Findings.cpp - collects a block's reports --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Findings.h"

using namespace qdelta::emulator;

std::string qdelta::emulator::describe(const Operation &op) {
  return op.location.empty() ? op.name : op.name + " {" + op.location + "}";
}

const char *qdelta::emulator::name(ReportKind kind) {
  switch (kind) {
  case ReportKind::ReadAfterWrite:
    return "RACE read-after-write";
  case ReportKind::WriteAfterRead:
    return "RACE write-after-read";
  case ReportKind::WriteAfterWrite:
    return "RACE write-after-write";
  case ReportKind::MissingProxyFence:
    return "PROXY-FENCE missing";
  case ReportKind::Uninitialised:
    return "UNINITIALISED";
  case ReportKind::SharedOutOfBounds:
    return "SHARED-OOB";
  case ReportKind::GlobalOutOfBounds:
    return "GLOBAL-OOB";
  case ReportKind::Misaligned:
    return "MISALIGNED";
  case ReportKind::Barrier:
    return "BARRIER";
  case ReportKind::Mbarrier:
    return "MBARRIER";
  case ReportKind::MbarrierClobber:
    return "MBARRIER-CLOBBER";
  case ReportKind::MbarrierAtExit:
    return "MBARRIER-EXIT";
  case ReportKind::WarpDivergence:
    return "WARP-DIVERGENCE";
  case ReportKind::WarpMask:
    return "WARP-MASK";
  case ReportKind::ExitedLane:
    return "EXITED-LANE";
  case ReportKind::WgmmaFence:
    return "WGMMA-FENCE missing";
  case ReportKind::WgmmaAccumulator:
    return "WGMMA-ACCUMULATOR";
  case ReportKind::WgmmaDescriptor:
    return "WGMMA-DESCRIPTOR";
  case ReportKind::AsyncAtExit:
    return "ASYNC-EXIT";
  case ReportKind::TensorMap:
    return "TENSOR-MAP";
  case ReportKind::Deadlock:
    return "DEADLOCK";
  case ReportKind::Trap:
    return "TRAP";
  case ReportKind::Launch:
    return "LAUNCH";
  }
  return "?";
}

void Findings::add(Report report) {
  Key key(report.kind, report.site.op + report.site.location,
          report.other.op + report.other.location);
  auto [place, isNew] = places.try_emplace(key, kept.size());
  lastPlace = place->second;
  if (!isNew) {
    if (place->second == kDropped)
      ++droppedCount;
    else
      kept[place->second].count += report.count;
    return;
  }
  if (kept.size() >= limit) {
    place->second = lastPlace = kDropped;
    ++droppedCount;
    return;
  }
  kept.push_back(std::move(report));
}

void Findings::merge(const Findings &other) {
  for (const Report &report : other.kept)
    add(report);
  droppedCount += other.droppedCount;
}

bool Findings::countAgain(ReportKind kind, const Operation *op,
                          const Operation *other) {
  auto place = fastPlaces.find({kind, op, other});
  if (place == fastPlaces.end())
    return false;
  if (place->second == kDropped)
    ++droppedCount;
  else
    ++kept[place->second].count;
  return true;
}

void Findings::remember(ReportKind kind, const Operation *op,
                        const Operation *other) {
  fastPlaces[{kind, op, other}] = lastPlace;
}
