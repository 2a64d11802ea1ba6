//===- Source.h - the module that a tool works on --------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_SOURCE_H
#define QDELTA_TOOLS_DATA_SOURCE_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/SourceMgr.h"

namespace qdelta::tools {

/// The folder of models that the build knows.
llvm::StringRef defaultModelsDir();

/// The names of the models in a folder, sorted.
std::vector<std::string> listModels(llvm::StringRef dir);

/// The file of a model; an error lists the known ones.
llvm::Expected<std::string> findModel(llvm::StringRef name,
                                      llvm::StringRef dir);

/// A module with its text: while it lives, diagnostics of its context go to
/// standard error with the lines that they are about.
class Source {
public:
  /// Reads and verifies a file ("-" for standard input).
  static llvm::Expected<Source> read(llvm::StringRef path,
                                     mlir::MLIRContext &context);

  mlir::ModuleOp getModule() { return *module; }
  /// The file as it was read.
  llvm::StringRef getText() const;

private:
  std::shared_ptr<llvm::SourceMgr> text;
  std::unique_ptr<mlir::SourceMgrDiagnosticHandler> handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The recurrence of that name, or the only one if `name` is empty.
llvm::Expected<RecurrenceOp> findRecurrence(mlir::ModuleOp module,
                                            llvm::StringRef name);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_SOURCE_H
