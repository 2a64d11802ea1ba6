//===- Control.cpp - fences, hints and traps ------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Block.h"

using namespace qdelta::emulator;

namespace {
/// What the thread knows by now, the async proxy sees too.
void runProxyFence(Context *context, const Operation *, uint64_t *,
                   uint64_t *) {
  Thread &thread = threadOf(context);
  thread.fenced = thread.known;
  // What the thread does next is not covered.
  thread.tick();
}

void runNothing(Context *, const Operation *, uint64_t *, uint64_t *) {}

void runSleep(Context *context, const Operation *op, uint64_t *, uint64_t *) {
  Thread &thread = threadOf(context);
  thread.op = op;
  thread.waitingFor = "its turn";
  thread.block->yield(thread);
}

void runExit(Context *context, const Operation *, uint64_t *, uint64_t *) {
  Thread &thread = threadOf(context);
  thread.block->end(thread);
}

void runTrap(Context *context, const Operation *op, uint64_t *, uint64_t *) {
  Thread &thread = threadOf(context);
  thread.block->report(ReportKind::Trap, thread, *op, "traps");
  thread.block->end(thread);
}

void runClock(Context *context, const Operation *, uint64_t *,
              uint64_t *results) {
  results[0] = threadOf(context).accesses;
}
} // namespace

// Memory fences order nothing that the shadow does not know of already: what
// carries order between threads are barriers and atomics.
bool qdelta::emulator::bindControl(Operation &op) {
  std::string_view name = op.name;
  if (name == "fence.proxy.async" || name == "fence.proxy.async.shared_cta" ||
      name == "fence.proxy.async.shared_cluster")
    op.handler = runProxyFence;
  else if (name == "fence.mbarrier_init.release.cluster" ||
           name == "fence.sc.cluster" || name.starts_with("membar.") ||
           name == "fence.proxy.alias" || name == "fence.proxy.async.global" ||
           name.starts_with("fence.proxy.tensormap_generic.") ||
           name.starts_with("setmaxnreg.") ||
           name.starts_with("griddepcontrol.") ||
           name.starts_with("prefetch.") || name == "prefetchu.L1" ||
           name.starts_with("cp.async.bulk.prefetch.") ||
           name.starts_with("cp.async.bulk.tensor.prefetch."))
    op.handler = runNothing;
  else if (name == "nanosleep")
    op.handler = runSleep;
  else if (name == "exit")
    op.handler = runExit;
  else if (name == "trap")
    op.handler = runTrap;
  else if (name.starts_with("read.ptx.sreg.clock") ||
           name.starts_with("read.ptx.sreg.globaltimer"))
    op.handler = runClock;
  return op.handler != nullptr;
}
