//===- Failure.h - errors of the tools and their exit codes ----*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_FAILURE_H
#define QDELTA_TOOLS_DATA_FAILURE_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

namespace qdelta::tools {

enum ExitCode { Fine = 0, UserError = 1, WrongResult = 2, InternalError = 3 };

/// An error whose exit code is not UserError.
class Failure : public llvm::ErrorInfo<Failure> {
public:
  static char ID;

  Failure(ExitCode code, std::string text)
      : code(code), text(std::move(text)) {}

  void log(llvm::raw_ostream &os) const override { os << text; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

  const ExitCode code;

private:
  std::string text;
};

/// An error that the user can mend.
llvm::Error userError(const llvm::Twine &message);

/// What a bug report needs: the command line and the module that it was about.
class Reproducer {
public:
  Reproducer(int argc, char **argv);

  /// The text of the module from here on.
  void setInput(llvm::StringRef text) { input = text.str(); }
  bool hasInput() const { return !input.empty(); }

  /// Writes both to a new file in the folder for temporary files; its name, or
  /// why there is none.
  std::string write() const;

private:
  std::string command, input;
};

/// Runs a tool: prints its error as `error: ...` and returns the exit code.
/// Running out of memory is the user's; any other exception, a failed assertion
/// and a crash are ours. Internal errors print where their reproducer is, and so
/// do wrong results of a tool that has an input.
int runTool(int argc, char **argv,
            llvm::function_ref<llvm::Error(Reproducer &)> tool);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_FAILURE_H
