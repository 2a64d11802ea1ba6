//===- Failure.cpp - errors of the tools and their exit codes ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "data/Failure.h"

#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <new>

using namespace qdelta::tools;

char Failure::ID;

llvm::Error qdelta::tools::userError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static int report(ExitCode code, const llvm::Twine &message) {
  llvm::outs().flush();
  llvm::WithColor::error() << message << "\n";
  return code;
}

int qdelta::tools::runTool(llvm::function_ref<llvm::Error()> tool) {
  try {
    int result = Fine;
    llvm::handleAllErrors(
        tool(),
        [&](const Failure &failure) {
          result = report(failure.code, failure.message());
        },
        [&](const llvm::ErrorInfoBase &error) {
          result = report(UserError, error.message());
        });
    return result;
  } catch (const std::bad_alloc &) {
    return report(UserError, "not enough memory");
  } catch (const std::exception &error) {
    return report(InternalError, llvm::Twine("internal: ") + error.what());
  }
}
