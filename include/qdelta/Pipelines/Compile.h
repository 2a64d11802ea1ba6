//===- Compile.h - from a module to code that the runtime launches -*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_PIPELINES_COMPILE_H
#define QDELTA_PIPELINES_COMPILE_H

#include "qdelta-c/Runtime.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace qdelta {

/// What to compile for. Zero sizes and empty strings mean "choose".
struct CompileOptions {
  /// `cpu` (vector code) or `scalar` (linalg to loops, nothing else).
  std::string engine = "cpu";
  /// A row of the target table (`avx512`, `avx2`) or `host`.
  std::string target = "host";
  /// `auto`, `recurrent` or `chunked`.
  std::string mode = "auto";
  int64_t chunk = 0;
  /// Sizes for dynamic key and value dimensions; needed unless the types or a
  /// later phase fix them.
  int64_t key = 0, value = 0;
  /// What sequences of vectors are stored in: `f32` (as their types say),
  /// `bf16` or `f16`.
  std::string dtype = "f32";
  /// The function that a recurrence gets: `forward`; `packed` for sequences of
  /// different lengths, with cu_seqlens of `i32` or `i64`; with states in place
  /// `step` and `step_indexed`; or of what is derived from it `summary`,
  /// `compose` and `apply`.
  std::string entry = "forward", cuSeqlens = "i32";
  /// Segments that a launch on a CPU splits each sequence into.
  int64_t segments = 1;
  /// The phase that the module is in: recurrence, affine, chunked, linalg,
  /// buffers or target.
  std::string from = "recurrence";
  /// If set, `<phase>.mlir` of every phase is written to this folder.
  std::string dumpPhasesTo;
};

/// Machine code in memory with its description; owns the code.
class Executable {
public:
  virtual ~Executable();
  /// Valid while the executable lives.
  virtual const qdeltaImage &image() const = 0;
};

/// Compiles every entry function of `module`, which is changed on the way.
/// Diagnostics go to the module's context; the error then only says that they
/// did.
llvm::Expected<std::unique_ptr<Executable>>
compile(mlir::ModuleOp module, const CompileOptions &options);

/// Runs the passes from `options.from` to phase `to`, in place.
llvm::Error compileToPhase(mlir::ModuleOp module, const CompileOptions &options,
                           llvm::StringRef to);

} // namespace qdelta

#endif // QDELTA_PIPELINES_COMPILE_H
