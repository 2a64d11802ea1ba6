//===- Accumulators.cpp - reads of accumulators under way -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Forward data flow. At each place, every wgmma that may be under way has an
// age: 0 before its group is committed, then the number of commits since and
// with it. Waiting until n groups are left ends those older than n; where paths
// meet, the younger one counts. A second data flow follows values: a value
// stands for the wgmma that were under way where it was made.
//
//===----------------------------------------------------------------------===//

#include "Accumulators.h"

#include "../ProgramImpl.h"
#include "InlineAsm.h"
#include "OperationTable.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <set>

using namespace qdelta::emulator;
using namespace llvm;

namespace {
/// A loop that commits and never waits must not go on for ever.
constexpr int kOldest = 16;

enum class Kind { Other, Wgmma, Commit, Wait, Pin };

struct Event {
  Kind kind = Kind::Other;
  /// Of a wait: groups left.
  int left = 0;
  std::optional<AsmOperation> op;
};

Event eventOf(const Instruction &instruction) {
  Event event;
  auto *call = dyn_cast<CallInst>(&instruction);
  if (!call)
    return event;
  std::string name;
  const Value *left = nullptr;
  if (call->isInlineAsm()) {
    event.op = readInlineAsm(*call);
    if (!event.op)
      return event;
    name = event.op->name;
    if (name.empty()) {
      event.kind = Kind::Pin;
      return event;
    }
    if (!event.op->operands.empty()) {
      event.left = event.op->operands[0].constant;
      if (event.op->operands[0].argument >= 0)
        left = call->getArgOperand(event.op->operands[0].argument);
    }
  } else if (const Function *callee = call->getCalledFunction()) {
    name = callee->getName();
    if (call->arg_size())
      left = call->getArgOperand(0);
  }
  StringRef text(name);
  text.consume_front("llvm.nvvm.");
  if (text.starts_with("wgmma.mma_async."))
    event.kind = Kind::Wgmma;
  else if (text.starts_with("wgmma.commit"))
    event.kind = Kind::Commit;
  else if (text.starts_with("wgmma.wait"))
    event.kind = Kind::Wait;
  if (auto *constant = dyn_cast_or_null<ConstantInt>(left))
    event.left = constant->getZExtValue();
  return event;
}

/// Ages of the wgmma that may be under way.
using Ages = std::map<const Instruction *, int>;

/// The wgmma that a value may still be written by.
using Sources = std::set<const Instruction *>;

class Finder {
public:
  Finder(Function &kernel, const Locations &locations)
      : kernel(kernel), locations(locations) {
    for (Instruction &instruction : instructionsOf())
      if (Event event = eventOf(instruction); event.kind != Kind::Other) {
        any |= event.kind == Kind::Wgmma;
        events[&instruction] = std::move(event);
      }
  }

  std::string run() {
    if (!any)
      return "";
    for (bool changed = true; changed;) {
      changed = false;
      for (BasicBlock *block : ReversePostOrderTraversal<Function *>(&kernel))
        changed |= flow(*block);
    }
    // Values may go round loops until all have their sources.
    for (size_t before = ~size_t(0); before != count;) {
      before = count;
      for (BasicBlock *block : ReversePostOrderTraversal<Function *>(&kernel))
        visit(*block, /*report=*/false);
    }
    for (BasicBlock &block : kernel)
      visit(block, /*report=*/true);
    return lines;
  }

private:
  std::vector<std::reference_wrapper<Instruction>> instructionsOf() {
    std::vector<std::reference_wrapper<Instruction>> all;
    for (BasicBlock &block : kernel)
      for (Instruction &instruction : block)
        all.push_back(instruction);
    return all;
  }

  void step(const Instruction &instruction, Ages &ages) const {
    auto found = events.find(&instruction);
    if (found == events.end())
      return;
    const Event &event = found->second;
    if (event.kind == Kind::Wgmma) {
      ages[&instruction] = 0;
    } else if (event.kind == Kind::Commit) {
      for (auto &[wgmma, age] : ages)
        age = std::min(age + 1, kOldest);
    } else if (event.kind == Kind::Wait) {
      std::erase_if(
          ages, [&](const auto &entry) { return entry.second > event.left; });
    }
  }

  /// Whether what leaves the block has changed.
  bool flow(BasicBlock &block) {
    Ages ages;
    for (BasicBlock *predecessor : predecessors(&block))
      for (auto [wgmma, age] : atEnd[predecessor]) {
        auto [entry, isNew] = ages.try_emplace(wgmma, age);
        if (!isNew)
          entry->second = std::min(entry->second, age);
      }
    atBegin[&block] = ages;
    for (Instruction &instruction : block)
      step(instruction, ages);
    if (atEnd[&block] == ages)
      return false;
    atEnd[&block] = std::move(ages);
    return true;
  }

  Sources underWay(const Value *value, const Ages &ages) const {
    Sources result;
    if (auto found = sources.find(value); found != sources.end())
      for (const Instruction *wgmma : found->second)
        if (ages.count(wgmma))
          result.insert(wgmma);
    return result;
  }

  void add(const Value *value, const Sources &more) {
    if (more.empty())
      return;
    Sources &all = sources[value];
    count -= all.size();
    all.insert(more.begin(), more.end());
    count += all.size();
  }

  void visit(BasicBlock &block, bool report) {
    Ages ages = atBegin[&block];
    for (Instruction &instruction : block) {
      auto found = events.find(&instruction);
      Kind kind = found == events.end() ? Kind::Other : found->second.kind;
      if (auto *phi = dyn_cast<PHINode>(&instruction)) {
        for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
          add(phi, underWay(phi->getIncomingValue(i),
                            atEnd[phi->getIncomingBlock(i)]));
      } else if (kind == Kind::Pin ||
                 isa<ExtractValueInst, InsertValueInst>(instruction)) {
        for (Value *operand : instruction.operands())
          add(&instruction, underWay(operand, ages));
      } else if (kind == Kind::Wgmma) {
        visitWgmma(cast<CallInst>(instruction), *found->second.op, ages,
                   report);
      } else if (report) {
        for (Value *operand : instruction.operands())
          complain(instruction, underWay(operand, ages));
      }
      step(instruction, ages);
    }
  }

  /// A wgmma may take the accumulators of another one of the same shape.
  void visitWgmma(CallInst &call, const AsmOperation &op, const Ages &ages,
                  bool report) {
    Sources own = {&call};
    size_t outputs = isa<StructType>(call.getType())
                         ? cast<StructType>(call.getType())->getNumElements()
                         : 1;
    for (size_t i = 0; i < op.operands.size(); ++i) {
      if (op.operands[i].argument < 0)
        continue;
      Sources pending =
          underWay(call.getArgOperand(op.operands[i].argument), ages);
      if (i < outputs)
        own.insert(pending.begin(), pending.end());
      else if (report)
        complain(call, pending);
    }
    add(&call, own);
  }

  void complain(const Instruction &use, const Sources &pending) {
    for (const Instruction *wgmma : pending) {
      std::string site = placeOf(use), other = placeOf(*wgmma);
      std::string opName = use.getOpcodeName();
      std::string wgmmaName = events.at(wgmma).op->name;
      if (!reported.insert(site + "\n" + other).second)
        continue;
      std::string text = std::string(name(ReportKind::WgmmaAccumulator)) +
                         ": " + opName + " {" + site +
                         "} uses an accumulator that " + wgmmaName + " {" +
                         other + "} may still be writing";
      lines += "finding\t" +
               std::to_string(static_cast<int>(ReportKind::WgmmaAccumulator)) +
               "\t" + escape(text) + "\t" + escape(opName) + "\t" +
               escape(site) + "\t" + escape(wgmmaName) + "\t" + escape(other) +
               "\n";
    }
  }

  /// Uses need not be what locations are kept of.
  std::string placeOf(const Instruction &instruction) const {
    if (const DebugLoc &loc = instruction.getDebugLoc())
      return (loc->getFilename() + ":" + Twine(loc.getLine()) + ":" +
              Twine(loc.getCol()))
          .str();
    if (isa<CallBase>(instruction))
      return locations.of(instruction);
    std::string text;
    raw_string_ostream stream(text);
    instruction.print(stream);
    return StringRef(text).trim().str();
  }

  Function &kernel;
  const Locations &locations;
  bool any = false;
  std::map<const Instruction *, Event> events;
  std::map<const BasicBlock *, Ages> atBegin, atEnd;
  std::map<const Value *, Sources> sources;
  size_t count = 0;
  std::set<std::string> reported;
  std::string lines;
};
} // namespace

std::string qdelta::emulator::findAccumulatorUses(Function &kernel,
                                                  const Locations &locations) {
  return Finder(kernel, locations).run();
}
