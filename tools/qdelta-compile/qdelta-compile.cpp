//===- qdelta-compile.cpp - from one phase to another ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "data/CompileLine.h"
#include "data/Failure.h"
#include "data/Source.h"
#include "qdelta/Pipelines/Artefact.h"
#include "qdelta/Pipelines/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace qdelta;
using namespace qdelta::tools;
namespace cl = llvm::cl;

static const char overview[] = R"(qdelta's compiler: from one phase to another

Takes a module from the phase it is in to a later one and writes it as text.
The phases are recurrence, affine, chunked, linalg, buffers and target
(docs/Pipelines.md). A phase's dump compiles on from where it stands. With -o
file.qda, writes an artefact with code for each target, which qdelta-run and C
programs launch (docs/Artefacts.md).

Examples:
  qdelta-compile --model q_delta --shape K=64,V=64 --compile-to=chunked
  qdelta-compile step.mlir --shape K=64,V=64 --dump-phases-to=phases
  qdelta-compile phases/linalg.mlir --compile-from=linalg --compile-to=buffers
  qdelta-compile --model q_delta --shape K=64,V=64 --target=host,avx2 -o q_delta.qda

Exit codes: 0 fine, 1 an error in what was given, 3 internal.
)";

namespace {
struct CommandLine {
  cl::OptionCategory category{"qdelta-compile options"};
  cl::opt<std::string> file{cl::Positional, cl::desc("<file.mlir>"),
                            cl::cat(category)};
  CompileLine compile{category,
                      {"Compile a model of --models-dir",
                       "Sizes of dynamic K and V dimensions", "K=64,V=64",
                       "scalar, cpu (default), emulated or cuda",
                       "Rows of a target table, separated by commas, or host"}};
  cl::opt<std::string> from{
      "compile-from", cl::desc("The phase that the file is in"),
      cl::value_desc("phase"), cl::init("recurrence"), cl::cat(category)};
  cl::opt<std::string> to{"compile-to", cl::desc("The phase to stop at"),
                          cl::value_desc("phase"), cl::init("target"),
                          cl::cat(category)};
  cl::opt<std::string> dumpTo{"dump-phases-to",
                              cl::desc("Write <phase>.mlir of every phase"),
                              cl::value_desc("dir"), cl::cat(category)};
  cl::opt<std::string> cuSeqlensType{
      "cu-seqlens-type",
      cl::desc("Elements of a packed function's cu_seqlens: i32 (default) or "
               "i64"),
      cl::value_desc("type"), cl::init("i32"), cl::cat(category)};
  cl::opt<std::string> output{"o",
                              cl::desc("Where to write; - by default. An "
                                       "artefact if it ends with .qda"),
                              cl::value_desc("file"), cl::cat(category)};
};
} // namespace

static llvm::Error compileFile(const CommandLine &line,
                               Reproducer &reproducer) {
  if (line.file.empty() == line.compile.model.empty())
    return userError("expected either a file or --model, but got " +
                     llvm::Twine(line.file.empty() ? "neither" : "both"));
  if (llvm::Error error = line.compile.check())
    return error;
  if (llvm::Error error =
          checkOneOf("cu-seqlens-type", line.cuSeqlensType, {"i32", "i64"}))
    return error;
  // Targets for GPUs go with any engine but this.
  if (line.compile.engine == "scalar")
    if (llvm::Error error = line.compile.checkTarget({"scalar"}))
      return error;
  std::string path = line.file;
  if (path.empty()) {
    auto found = findModel(line.compile.model, line.compile.modelsDir);
    if (!found)
      return found.takeError();
    path = *found;
  }
  // A phase is written as text for one target, an artefact holds several.
  bool isArtefact = llvm::StringRef(line.output).ends_with(".qda");
  if (isArtefact && line.to != "target")
    return userError("expected no --compile-to with an artefact, but got " +
                     line.to);
  auto targets = line.compile.targets();
  if (!targets)
    return targets.takeError();
  llvm::Expected<CompileOptions> parsed =
      isArtefact ? line.compile.optionsForTargets() : line.compile.options();
  if (!parsed)
    return parsed.takeError();
  CompileOptions options = std::move(*parsed);
  options.from = line.from;
  options.dumpPhasesTo = line.dumpTo;
  options.cuSeqlens = line.cuSeqlensType;
  auto sizes = parseShape(line.compile.shape);
  if (!sizes)
    return sizes.takeError();
  for (const auto &[name, size] : *sizes) {
    if (name != "K" && name != "V")
      return userError("expected --shape to give K and V, but got " + name);
    (name == "K" ? options.key : options.value) = size;
  }

  mlir::DialectRegistry registry;
  registerDialects(registry);
  // A crash is caught on this thread only.
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto source = Source::read(path, context);
  if (!source)
    return source.takeError();
  reproducer.setInput(source->getText());
  if (isArtefact)
    return writeArtefact(source->getModule(), options, *targets, line.output,
                         [](llvm::StringRef remark) {
                           llvm::errs() << "remark: " << remark << "\n";
                         });
  if (llvm::Error error = compileToPhase(source->getModule(), options, line.to))
    return error;
  // Dumps are enough of an output unless one was asked for.
  if (line.output.empty() && !line.dumpTo.empty())
    return llvm::Error::success();
  std::error_code code;
  std::string to = line.output;
  if (to.empty())
    to = "-";
  llvm::ToolOutputFile file(to, code, llvm::sys::fs::OF_Text);
  if (code)
    return userError("cannot write '" + to + "': " + code.message());
  source->getModule().print(file.os());
  file.os() << "\n";
  file.keep();
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return runTool(argc, argv, [&](Reproducer &reproducer) {
    cl::ResetCommandLineParser();
    static CommandLine line;
    cl::ParseCommandLineOptions(argc, argv, overview);
    return compileFile(line, reproducer);
  });
}
