//===- CompileLine.cpp - what to compile for, on a command line ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/CompileLine.h"
#include "data/Comparison.h"
#include "data/Failure.h"
#include "data/Source.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"
#include "qdelta/Dialect/QDelta/Transforms/Segments.h"
#include "qdelta/Pipelines/Pipelines.h"
#include "qdelta/Runtime/ThreadPool.h"
#include "qdelta/Target/GpuTarget.h"
#include "qdelta/Target/TargetTable.h"

#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringExtras.h"

using namespace qdelta;
using namespace qdelta::tools;
using llvm::StringRef;
namespace cl = llvm::cl;

CompileLine::CompileLine(cl::OptionCategory &category,
                         const CompileLineHelp &help)
    : model("model", cl::desc(help.model), cl::value_desc("name"),
            cl::cat(category)),
      modelsDir("models-dir",
                cl::desc("Folder of models; the build's own by default"),
                cl::value_desc("dir"), cl::init(defaultModelsDir().str()),
                cl::cat(category)),
      shape("shape", cl::desc(help.shape), cl::value_desc(help.shapeExample),
            cl::cat(category)),
      dtype("dtype",
            cl::desc("What vectors of tokens are stored in: bf16, f16, or f32 "
                     "(default: what is declared); f64 makes all of it f64"),
            cl::value_desc("type"), cl::init("f32"), cl::cat(category)),
      engine("engine", cl::desc(help.engine), cl::value_desc("name"),
             cl::init("cpu"), cl::cat(category)),
      target("target", cl::desc(help.target), cl::value_desc("name"),
             cl::init("host"), cl::cat(category)),
      mode("mode", cl::desc("auto (default), recurrent or chunked"),
           cl::value_desc("mode"), cl::init("auto"), cl::cat(category)),
      entry("entry",
            cl::desc("The function that a recurrence gets: forward (default), "
                     "packed (sequences of different lengths), step (states in "
                     "place, at most 16 tokens), step_indexed (states of a "
                     "pool), summary (what tokens do to a state), compose (of "
                     "two summaries) or apply (of one to a state)"),
            cl::value_desc("name"), cl::init("forward"), cl::cat(category)),
      segments(
          "segments",
          cl::desc("Segments that a launch on a CPU splits each sequence "
                   "into, for few heads; 1 (default) for none, 0 to choose "
                   "where sizes are known"),
          cl::value_desc("count"), cl::init(1), cl::cat(category)),
      chunk("chunk", cl::desc("Tokens of a chunk; 0 to choose"),
            cl::value_desc("tokens"), cl::init(0), cl::cat(category)) {}

CompileOptions tools::withTarget(CompileOptions options) {
  bool isGpu = options.engine == "emulated" || options.engine == "cuda";
  if (isGpu && options.target == "host")
    options.target = "sm_80";
  return options;
}

int64_t tools::segmentsFor(RecurrenceOp recurrence,
                           const CompileOptions &options, const Sizes &sizes,
                           int32_t threads) {
  if (options.segments != 0)
    return options.segments;
  if (isForGpu(options) || options.entry != "forward" ||
      !hasSummary(recurrence))
    return 1;
  return chooseSegments(sizes.at("B") * sizes.at("HV"), sizes.at("T"),
                        threads ? threads : runtime::ThreadPool::countCores());
}

Format tools::productsFor(RecurrenceOp recurrence,
                          const CompileOptions &options, Format dtype) {
  Format products = productsOf(options.engine, dtype, options.mode);
  if (products == dtype)
    return products;
  mlir::OwningOpRef<mlir::ModuleOp> copy(
      recurrence->getParentOfType<mlir::ModuleOp>().clone());
  StringRef name = recurrence.getSymName();
  for (auto other : llvm::make_early_inc_range(copy->getOps<RecurrenceOp>()))
    if (other.getSymName() != name &&
        mlir::SymbolTable::symbolKnownUseEmpty(other, copy->getOperation()))
      other.erase();
  // Whoever compiles the kernel reports what there is to say of it.
  mlir::ScopedDiagnosticHandler quiet(
      copy->getContext(), [](mlir::Diagnostic &) { return mlir::success(); });
  // What fails here runs nowhere, or is the dump of a later phase.
  if (auto error = compileToPhase(*copy, withTarget(options),
                                  phaseName(Phase::Chunked))) {
    llvm::consumeError(std::move(error));
    return products;
  }
  bool hasChunks =
      copy->walk([](ChunkUpdateOp) { return mlir::WalkResult::interrupt(); })
          .wasInterrupted();
  return hasChunks ? products : dtype;
}

llvm::Error tools::checkOneOf(StringRef option, StringRef value,
                              llvm::ArrayRef<StringRef> known) {
  if (llvm::is_contained(known, value))
    return llvm::Error::success();
  return userError("expected --" + option + " to be one of " +
                   llvm::join(known, ", ") + ", but got " + value);
}

llvm::Error tools::checkEngine(StringRef option, StringRef value,
                               llvm::ArrayRef<StringRef> interpreters) {
  llvm::SmallVector<StringRef> known(interpreters);
  known.append({"scalar", "cpu", "emulated", "cuda"});
  return checkOneOf(option, value, known);
}

llvm::Expected<Format> tools::parseFormat(StringRef what, StringRef name) {
  if (std::optional<Format> format = reference::findFormat(name))
    return *format;
  return userError("expected " + what +
                   " to be one of f64, f32, bf16, f16, but got " + name);
}

llvm::Error CompileLine::check(llvm::ArrayRef<StringRef> interpreters) const {
  if (llvm::Error error = checkEngine("engine", engine, interpreters))
    return error;
  if (llvm::Error error =
          checkOneOf("mode", mode, {"auto", "recurrent", "chunked"}))
    return error;
  llvm::SmallVector<StringRef> entries{"forward", "packed", "step",
                                       "step_indexed"};
  llvm::append_range(entries, kSummaryKinds);
  if (llvm::Error error = checkOneOf("entry", entry, entries))
    return error;
  if (segments < 0)
    return userError("expected --segments to be at least 0, but got " +
                     llvm::Twine(segments));
  if (segments != 1 && entry != "forward")
    return userError("expected --entry=forward, whose sequences are split, "
                     "with --segments, but got " +
                     entry);
  if (auto format = parseFormat("--dtype", dtype); !format)
    return format.takeError();
  if (chunk < 0)
    return userError("expected --chunk to be at least 0, but got " +
                     llvm::Twine(chunk));
  return llvm::Error::success();
}

bool tools::hasTarget(StringRef engine, StringRef target) {
  if (target == "host" || (engine == "scalar" && target == "scalar"))
    return true;
  if (engine == "cpu")
    return findTarget(target);
  return (engine == "emulated" || engine == "cuda") && findGpuTarget(target);
}

llvm::Error CompileLine::checkTarget(llvm::ArrayRef<StringRef> engines) const {
  bool isKnown = findTarget(target) || findGpuTarget(target);
  if (!isKnown || llvm::any_of(engines, [&](StringRef engine) {
        return hasTarget(engine, target);
      }))
    return llvm::Error::success();
  return userError("engine " + engine + " has no target " + target);
}

llvm::Expected<std::vector<std::string>> CompileLine::targets() const {
  llvm::SmallVector<StringRef> names;
  StringRef(target).split(names, ',');
  for (StringRef &name : names)
    if (name = name.trim(); name.empty())
      return userError("expected --target to list names, but got '" + target +
                       "'");
  return std::vector<std::string>(names.begin(), names.end());
}

Format CompileLine::format() const { return *reference::findFormat(dtype); }

CompileOptions CompileLine::optionsForTargets() const {
  CompileOptions result;
  result.engine = engine;
  // States in place go token by token, and products of GPUs with them.
  bool isStep = entry == "step" || entry == "step_indexed";
  result.mode = isStep && mode == "auto" ? "recurrent" : mode.getValue();
  result.chunk = chunk;
  result.dtype = dtype;
  result.entry = entry;
  result.segments = segments;
  return result;
}

llvm::Expected<CompileOptions> CompileLine::options() const {
  auto names = targets();
  if (!names)
    return names.takeError();
  if (names->size() != 1)
    return userError("expected --target to be one name, but got " + target);
  CompileOptions result = optionsForTargets();
  result.target = names->front();
  return result;
}
