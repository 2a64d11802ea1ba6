//===- DeviceReport.cpp - what ptxas says of compiled kernels
//--------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/CompileLine.h"
#include "data/Failure.h"
#include "data/Source.h"
#include "qdelta/Pipelines/DeviceCode.h"
#include "qdelta/Pipelines/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace qdelta;
using namespace qdelta::tools;
namespace cl = llvm::cl;

static const char overview[] = R"(qdelta: what ptxas says of kernels for GPUs

Compiles a model, or the recurrence in a file, for each target of a list,
assembles it and prints one JSON object a line and target. With --cubins also
writes <kernel>-<dtype>-<K>-<V>-<target>.cubin into a folder.
)";

namespace {
struct CommandLine {
  cl::OptionCategory category{"options"};
  cl::opt<std::string> file{cl::Positional, cl::desc("<file.mlir>"),
                            cl::cat(category)};
  CompileLine compile{category,
                      {"Compile a model of --models-dir", "K and V",
                       "K=128,V=128", "ignored: always cuda",
                       "Rows of the table of GPU targets, with commas"}};
  cl::opt<std::string> cubins{"cubins", cl::desc("Folder for cubins"),
                              cl::cat(category)};
};

double seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
} // namespace

static llvm::Error writeCubin(const CommandLine &line, const DeviceCode &code,
                              const Sizes &sizes, std::string &path) {
  path = line.cubins + "/" + code.kernel + "-" + line.compile.dtype + "-" +
         std::to_string(sizes.at("K")) + "-" + std::to_string(sizes.at("V")) +
         "-" + code.target + ".cubin";
  std::error_code problem;
  llvm::raw_fd_ostream os(path, problem);
  if (problem)
    return userError("cannot write " + path + ": " + problem.message());
  os << code.assembly.cubin;
  return llvm::Error::success();
}

static llvm::Error report(const CommandLine &line, const DeviceCode &code,
                          const Sizes &sizes, double compileSeconds,
                          double ptxasSeconds) {
  if (code.assembly.functions.size() != 1)
    return llvm::make_error<Failure>(
        InternalError, "expected ptxas to describe one function of " +
                           code.kernel + " for " + code.target);
  const FunctionUsage &usage = code.assembly.functions[0];
  std::string cubin;
  if (!line.cubins.empty())
    if (llvm::Error error = writeCubin(line, code, sizes, cubin))
      return error;
  llvm::json::Array warnings;
  for (const std::string &warning : code.assembly.warnings)
    warnings.push_back(warning);
  llvm::outs() << llvm::json::Value(llvm::json::Object{
                      {"kernel", code.kernel},
                      {"dtype", line.compile.dtype.getValue()},
                      {"K", sizes.at("K")},
                      {"V", sizes.at("V")},
                      {"target", code.target},
                      {"threads", code.threads},
                      {"dynamic", code.sharedBytes},
                      {"registers", usage.registers},
                      {"spill_stores", usage.spillStores},
                      {"spill_loads", usage.spillLoads},
                      {"stack", usage.stackBytes},
                      {"static", usage.sharedBytes},
                      {"barriers", usage.barriers},
                      {"warnings", std::move(warnings)},
                      {"cubin", cubin},
                      {"compile_s", compileSeconds},
                      {"ptxas_s", ptxasSeconds}})
               << "\n";
  return llvm::Error::success();
}

static llvm::Error runMain(const CommandLine &line) {
  auto targets = line.compile.targets();
  if (!targets)
    return targets.takeError();
  auto sizes = parseShape(line.compile.shape);
  if (!sizes)
    return sizes.takeError();
  if (!sizes->count("K") || !sizes->count("V"))
    return userError("expected --shape to give K and V");
  std::string path = line.file;
  if (path.empty()) {
    auto found = findModel(line.compile.model, line.compile.modelsDir);
    if (!found)
      return found.takeError();
    path = *found;
  }
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto source = Source::read(path, context);
  if (!source)
    return source.takeError();
  CompileOptions options;
  options.engine = "cuda";
  options.dtype = line.compile.dtype;
  options.mode = line.compile.mode;
  options.chunk = line.compile.chunk;
  options.key = sizes->at("K");
  options.value = sizes->at("V");
  DeviceForms ptxOnly;
  ptxOnly.cubin = ptxOnly.emulated = false;
  for (const std::string &name : *targets) {
    mlir::OwningOpRef<mlir::ModuleOp> copy(source->getModule().clone());
    double start = seconds();
    auto codes =
        compileDevice(*copy, options, name, ptxOnly, [](llvm::StringRef) {});
    if (!codes)
      return codes.takeError();
    double compiled = seconds();
    for (DeviceCode &code : *codes) {
      auto assembly = assemble(code.ptx, *findGpuTarget(name));
      if (!assembly)
        return assembly.takeError();
      code.assembly = std::move(*assembly);
      if (llvm::Error error = report(line, code, *sizes, compiled - start,
                                     seconds() - compiled))
        return error;
    }
  }
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return runTool(argc, argv, [&](Reproducer &) {
    cl::ResetCommandLineParser();
    static CommandLine line;
    cl::ParseCommandLineOptions(argc, argv, overview);
    return runMain(line);
  });
}
