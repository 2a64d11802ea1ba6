//===- NVPTXAssemble.cpp - PTX to cubins with ptxas -----------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Target/NVPTX.h"

#include "TemporaryFiles.h"

#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

using namespace qdelta;
using llvm::StringRef;

std::vector<std::string> qdelta::ptxasFolders() {
  std::vector<std::string> folders;
  if (auto home = llvm::sys::Process::GetEnv("CUDA_HOME"))
    folders.push_back(*home + "/bin");
  folders.push_back("/usr/local/cuda/bin");
  folders.push_back(QDELTA_TOOLKIT_DIR "/bin");
  return folders;
}

llvm::Expected<std::string>
qdelta::findPtxas(llvm::ArrayRef<std::string> folders) {
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  std::string places = "PATH";
  for (const std::string &folder : folders) {
    if (auto found = llvm::sys::findProgramByName("ptxas", StringRef(folder)))
      return *found;
    places += ", " + folder;
  }
  return makeError("found no ptxas in " + places +
                   "; tools/dev/setup.sh installs one");
}

/// The number before `unit` in a line such as "24 bytes spill stores, ...".
static int64_t numberBefore(StringRef line, StringRef unit) {
  size_t end = line.find(unit);
  if (end == StringRef::npos)
    return 0;
  StringRef before = line.take_front(end).rtrim();
  int64_t number = 0;
  before.substr(before.find_last_of(" ,") + 1).getAsInteger(10, number);
  return number;
}

Assembly qdelta::parsePtxasOutput(StringRef text) {
  Assembly result;
  llvm::SmallVector<StringRef> lines;
  text.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    if (line.contains("Compiling entry function '")) {
      FunctionUsage &function = result.functions.emplace_back();
      function.name = line.split('\'').second.split('\'').first.str();
      continue;
    }
    // Advice such as C7510 (wgmma serialised) comes as "info".
    if (line.contains("warning") || line.contains("(C7"))
      result.warnings.push_back(line.trim().str());
    if (result.functions.empty())
      continue;
    FunctionUsage &function = result.functions.back();
    if (line.contains("bytes stack frame")) {
      function.stackBytes = numberBefore(line, "bytes stack frame");
      function.spillStores = numberBefore(line, "bytes spill stores");
      function.spillLoads = numberBefore(line, "bytes spill loads");
    } else if (line.contains("Used ") && line.contains(" registers")) {
      function.registers = numberBefore(line, "registers");
      function.sharedBytes = numberBefore(line, "bytes smem");
      function.barriers = numberBefore(line, "barriers");
    }
  }
  return result;
}

llvm::Expected<Assembly> qdelta::assemble(StringRef ptx,
                                          const GpuTarget &target) {
  auto ptxas = findPtxas();
  if (!ptxas)
    return ptxas.takeError();
  TemporaryFiles files;
  if (llvm::Error error = files.create({"ptx", "cubin", "log"}))
    return std::move(error);
  const std::string &input = files[0], &output = files[1], &printed = files[2];
  if (llvm::Error error = writeFile(input, ptx))
    return std::move(error);

  std::string arch = ("-arch=" + target.name).str();
  std::string problem;
  int status = llvm::sys::ExecuteAndWait(
      *ptxas, {*ptxas, "-v", arch, "-o", output, input}, std::nullopt,
      {StringRef(""), StringRef(printed), StringRef(printed)}, 0, 0, &problem);
  std::string log = readFile(printed) + problem;
  if (status != 0)
    return makeError("ptxas cannot assemble for " + target.name + ": " +
                     StringRef(log).trim());
  Assembly result = parsePtxasOutput(log);
  result.cubin = readFile(output);
  return result;
}
