//===- Failure.cpp - errors of the tools and their exit codes ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Failure.h"

#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <new>

using namespace qdelta::tools;

char Failure::ID;

llvm::Error qdelta::tools::userError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

Reproducer::Reproducer(int argc, char **argv) {
  for (llvm::StringRef argument : llvm::ArrayRef(argv, argc))
    command += (" " + argument).str();
}

std::string Reproducer::write() const {
  int descriptor;
  llvm::SmallString<128> path;
  std::error_code code = llvm::sys::fs::createTemporaryFile(
      "qdelta-reproducer", "mlir", descriptor, path);
  if (code)
    return "none, " + code.message();
  llvm::raw_fd_ostream file(descriptor, /*shouldClose=*/true);
  file << "//" << command << "\n" << input;
  file.close();
  code = file.error();
  file.clear_error();
  return code ? "none, " + code.message() : path.str().str();
}

static int report(ExitCode code, const llvm::Twine &message) {
  llvm::outs().flush();
  llvm::WithColor::error() << message << "\n";
  return code;
}

static int reportInternal(const llvm::Twine &message,
                          const Reproducer &reproducer) {
  return report(InternalError, "internal error: " + message +
                                   "; reproducer: " + reproducer.write());
}

static int runCatching(llvm::function_ref<llvm::Error(Reproducer &)> tool,
                       Reproducer &reproducer) {
  try {
    int result = Fine;
    llvm::handleAllErrors(
        tool(reproducer),
        [&](const Failure &failure) {
          if (failure.code == InternalError)
            result = reportInternal(failure.message(), reproducer);
          else if (reproducer.hasInput())
            result = report(failure.code, failure.message() + "; reproducer: " +
                                              reproducer.write());
          else
            result = report(failure.code, failure.message());
        },
        [&](const llvm::ErrorInfoBase &error) {
          result = report(UserError, error.message());
        });
    return result;
  } catch (const std::bad_alloc &) {
    return report(UserError, "not enough memory");
  } catch (const std::exception &error) {
    return reportInternal(error.what(), reproducer);
  }
}

int qdelta::tools::runTool(int argc, char **argv,
                           llvm::function_ref<llvm::Error(Reproducer &)> tool) {
  Reproducer reproducer(argc, argv);
  int result = Fine;
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  recovery.DumpStackAndCleanupOnFailure = true;
  if (recovery.RunSafely([&] { result = runCatching(tool, reproducer); }))
    return result;
  return reportInternal("the tool crashed", reproducer);
}
