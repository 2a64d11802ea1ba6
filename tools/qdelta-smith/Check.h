//===- Check.h - one way to look at a program, and what it shows -*- C++
//-*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_SMITH_CHECK_H
#define QDELTA_TOOLS_SMITH_CHECK_H

#include "Generate.h"
#include "qdelta/Pipelines/Compile.h"

namespace qdelta::tools {

/// One way to look at a program. `Derivation`: the affine list against the step
/// in the prime field. `Form`: the chunk form for these options in the same
/// way, in every phase that has tensors. `Engine`: the kernel against the
/// float64 interpreter, with the bound of data/Comparison.h.
struct Check {
  enum Kind { Derivation, Form, Engine };

  Kind kind = Derivation;
  /// Sizes are left out.
  CompileOptions compile;

  std::string name() const;
  /// A command of another tool that does the same to the program in `path`.
  std::string reproducer(const Case &what, llvm::StringRef path) const;
};

/// What a check showed.
struct Outcome {
  enum Kind {
    Right,
    /// A pass said that it does not cover the program.
    Refused,
    /// The error passes its bound, but not four times that.
    Imprecise,
    /// Another result.
    Wrong,
    /// The token loop's own error is so large that the bound says nothing.
    Unstable,
    /// An error without a diagnostic, or in what the compiler is used for.
    Broken,
    Crashed,
  };

  Kind kind = Right;
  std::string detail;
  /// The shape that an engine was wrong at.
  size_t shape = 0;
  /// If imprecise: the error over its bound.
  double excess = 0;

  /// The same but for numbers.
  bool isLike(const Outcome &other) const;
};

/// `right`, `refused`, ...
llvm::StringRef nameOf(Outcome::Kind kind);

/// A text with N for every number.
std::string withoutNumbers(llvm::StringRef text);

/// The log decays that a shape with extremes mixes in, as --decays lists them.
constexpr llvm::StringLiteral extremeDecays = "0,-1e-8,-30,-1e4,-inf";

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_CHECK_H
