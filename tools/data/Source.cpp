//===- Source.cpp - the module that a tool works on ----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Source.h"
#include "data/Failure.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace qdelta;
using namespace qdelta::tools;
using namespace mlir;

StringRef qdelta::tools::defaultModelsDir() { return QDELTA_MODELS_DIR; }

std::vector<std::string> qdelta::tools::listModels(StringRef dir) {
  std::vector<std::string> names;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(dir, code), end; !code && it != end;
       it.increment(code))
    if (llvm::sys::path::extension(it->path()) == ".mlir")
      names.push_back(llvm::sys::path::stem(it->path()).str());
  llvm::sort(names);
  return names;
}

llvm::Expected<std::string> qdelta::tools::findModel(StringRef name,
                                                     StringRef dir) {
  std::vector<std::string> known = listModels(dir);
  if (known.empty())
    return userError("expected models in " + dir +
                     ", but found none; give their folder with --models-dir");
  if (!llvm::is_contained(known, name))
    return userError("unknown model " + name + "; known models are " +
                     llvm::join(known, ", "));
  llvm::SmallString<128> path(dir);
  llvm::sys::path::append(path, name + ".mlir");
  return path.str().str();
}

llvm::Expected<Source> Source::read(StringRef path, MLIRContext &context) {
  std::string message;
  auto file = openInputFile(path, &message);
  if (!file)
    return userError(message);
  // The line at fault is shown; the op's generic form says nothing to a user.
  context.printOpOnDiagnostic(false);
  Source source;
  source.text = std::make_shared<llvm::SourceMgr>();
  source.text->AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  source.handler =
      std::make_unique<SourceMgrDiagnosticHandler>(*source.text, &context);
  source.module = parseSourceFile<ModuleOp>(source.text, &context);
  if (!source.module)
    return userError("cannot use " + path);
  return source;
}

StringRef Source::getText() const {
  return text->getMemoryBuffer(text->getMainFileID())->getBuffer();
}

llvm::Expected<RecurrenceOp> qdelta::tools::findRecurrence(ModuleOp module,
                                                           StringRef name) {
  SmallVector<RecurrenceOp> all(module.getOps<RecurrenceOp>());
  std::string known = llvm::join(
      llvm::map_range(all, [](RecurrenceOp op) { return op.getSymName(); }),
      ", ");
  if (all.empty())
    return userError("expected a qdelta.recurrence in the module, but found "
                     "none");
  if (name.empty() && all.size() == 1)
    return all.front();
  if (name.empty())
    return userError("the module has several recurrences (" + known +
                     "); choose one with --recurrence");
  for (RecurrenceOp recurrence : all)
    if (recurrence.getSymName() == name)
      return recurrence;
  return userError("unknown recurrence " + name + "; the module has " + known);
}
