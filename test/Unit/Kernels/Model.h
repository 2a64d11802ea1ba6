//===- Model.h - a recurrence of lib/Models in memory ----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TEST_UNIT_KERNELS_MODEL_H
#define QDELTA_TEST_UNIT_KERNELS_MODEL_H

#include "data/Engines.h"
#include "data/Inputs.h"
#include "data/Source.h"

#include "mlir/IR/MLIRContext.h"

namespace qdelta::test {

class Model {
public:
  /// `dtype` is what sequences of vectors are stored in.
  static llvm::Expected<std::unique_ptr<Model>> read(llvm::StringRef name,
                                                     llvm::StringRef dtype);

  RecurrenceOp recurrence() const { return step; }
  const tools::Signature &signature() const { return *arguments; }

  llvm::Expected<tools::LoadedKernel> compile(CompileOptions options,
                                              int64_t key, int64_t value) const;
  /// Seeded inputs in the order of the signature.
  std::vector<tools::FloatTensor>
  makeInputs(const tools::Sizes &sizes,
             const tools::InputOptions &options) const;

private:
  Model() = default;

  // Goes last.
  std::unique_ptr<mlir::MLIRContext> context;
  std::optional<tools::Source> source;
  RecurrenceOp step;
  std::optional<tools::Signature> arguments;
};

} // namespace qdelta::test

#endif // QDELTA_TEST_UNIT_KERNELS_MODEL_H
