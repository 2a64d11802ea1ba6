//===- OperationTable.cpp - the operations of a module --------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "OperationTable.h"

#include "../ProgramImpl.h"

#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/DebugLoc.h"
#include "llvm/Support/raw_ostream.h"

using namespace qdelta::emulator;

std::string qdelta::emulator::locationOf(const llvm::Instruction &instruction) {
  if (const llvm::DebugLoc &loc = instruction.getDebugLoc())
    return (loc->getFilename() + ":" + llvm::Twine(loc.getLine()) + ":" +
            llvm::Twine(loc.getCol()))
        .str();
  std::string text;
  llvm::raw_string_ostream stream(text);
  instruction.print(stream);
  text = llvm::StringRef(text).trim().str();
  constexpr size_t kLength = 100;
  if (text.size() > kLength)
    text = text.substr(0, kLength) + "...";
  return text;
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
