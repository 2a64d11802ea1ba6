//===- Subject.h - a program that checks run on ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_SMITH_SUBJECT_H
#define QDELTA_TOOLS_SMITH_SUBJECT_H

#include "Check.h"
#include "Plant.h"
#include "data/Engines.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>

namespace qdelta::tools {

/// A case that checks run on; what several of them need is computed once.
class Subject {
public:
  Subject(const Case &what, Plant plant);
  ~Subject();

  Outcome run(const Check &check);

private:
  /// What a kernel is given and should return.
  struct Wanted {
    std::vector<FloatTensor> inputs;
    Outputs reference, loop;
  };

  Outcome runUnguarded(const Check &check);
  /// The module's functions in the prime field; `phase` is where they are.
  Outcome checkExactly(mlir::ModuleOp derived, llvm::StringRef phase);
  /// From the affine phase on.
  Outcome checkForms(mlir::ModuleOp derived, CompileOptions options);
  Outcome checkEngine(mlir::ModuleOp derived, const CompileOptions &options);
  /// A shape, and which draw of its inputs.
  using Draw = std::pair<size_t, size_t>;
  llvm::Expected<std::vector<OutputError>> launch(const LoadedKernel &kernel,
                                                  const Signature &signature,
                                                  const Draw &draw,
                                                  Format products);
  Outcome checkLaunch(const LoadedKernel &kernel, const Signature &signature,
                      size_t shape, Format products);
  llvm::Expected<const Wanted *> wantedFor(const Signature &signature,
                                           const Draw &draw, Format products);
  /// What an error of the compiler means.
  Outcome refusal(llvm::Error error);

  const Case what;
  const Plant plant;
  std::unique_ptr<mlir::MLIRContext> context;
  /// Errors since the check began.
  std::vector<std::string> diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  RecurrenceOp recurrence;
  /// By draw and what is multiplied, which says what is stored.
  std::map<std::pair<Draw, Format>, Wanted> wanted;
};

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_SUBJECT_H
