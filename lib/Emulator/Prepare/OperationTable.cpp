//===- OperationTable.cpp - the operations of a module --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "OperationTable.h"

#include "../ProgramImpl.h"

#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/DebugLoc.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/ModuleSlotTracker.h"
#include "llvm/Support/raw_ostream.h"

using namespace qdelta::emulator;

// Printing numbers the values of the function, which is done once for all.
Locations::Locations(const llvm::Module &module) {
  llvm::ModuleSlotTracker slots(&module);
  for (const llvm::Function &function : module) {
    bool incorporated = false;
    for (const llvm::Instruction &instruction : llvm::instructions(function)) {
      if (!instruction.mayReadOrWriteMemory() &&
          !llvm::isa<llvm::CallBase>(instruction))
        continue;
      std::string text;
      llvm::raw_string_ostream stream(text);
      if (const llvm::DebugLoc &loc = instruction.getDebugLoc()) {
        stream << loc->getFilename() << ":" << loc.getLine() << ":"
               << loc.getCol();
      } else {
        if (!incorporated)
          slots.incorporateFunction(function);
        incorporated = true;
        instruction.print(stream, slots);
        constexpr size_t kLength = 100;
        text = llvm::StringRef(text).trim().str();
        if (text.size() > kLength)
          text = text.substr(0, kLength) + "...";
      }
      texts[&instruction] = std::move(text);
    }
  }
}

std::string Locations::of(const llvm::Instruction &instruction) const {
  auto found = texts.find(&instruction);
  return found == texts.end() ? instruction.getOpcodeName() : found->second;
}

uint32_t OperationTable::add(const std::string &name,
                             const std::string &location, uint32_t numArguments,
                             uint32_t numResults) {
  std::string line = "op\t" + std::to_string(numArguments) + "\t" +
                     std::to_string(numResults) + "\t" + escape(name) + "\t" +
                     escape(location) + "\n";
  auto [place, isNew] = numbers.try_emplace(line, numbers.size());
  if (!isNew)
    return place->second;
  text += line;
  Operation op;
  op.name = name;
  op.numArguments = numArguments;
  op.numResults = numResults;
  if (!bind(op))
    addError("unknown operation '" + name + "' at " + location);
  if (numArguments > kMaxSlots || numResults > kMaxSlots)
    addError("too many operands of '" + name + "' at " + location);
  return place->second;
}

void OperationTable::addError(const std::string &error) {
  errorText += (errorText.empty() ? "" : "; ") + error;
}
