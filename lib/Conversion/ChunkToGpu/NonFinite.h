//===- NonFinite.h - NaN and infinity among a chunk's tokens ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_NONFINITE_H
#define QDELTA_CONVERSION_CHUNKTOGPU_NONFINITE_H

#include "Kernel.h"

namespace qdelta::gpu {

/// Whether a number is finite as an operand of a product.
Num isOperand(Emitter &e, Format format, Num value);

/// Whether one of the warp's numbers is not finite as an operand of a product,
/// the same in all its threads. May be said of numbers above 1e19, too.
Num anyNonFinite(Kernel &kernel, llvm::ArrayRef<Num> values);

/// E [16 x C] as operand of products over tokens, E M^T for lower triangular
/// matrices M [C x C]. Their zeros times NaN would be NaN in every token.
class TokenOperand {
public:
  TokenOperand() = default;
  /// `hasNonFinite` is the same in a warp's threads; if it does not hold, all
  /// stays as it is.
  TokenOperand(llvm::ArrayRef<Num> packed, Num hasNonFinite)
      : packed(packed), hasNonFinite(hasNonFinite) {}

  /// Before sum += E M^T: makes zeros of the numbers of E that are not finite,
  /// and NaN of the sum in their value column, from the first of them on; from
  /// the token after it unless M is `inclusive`. Returns E.
  llvm::ArrayRef<Num> prepare(Kernel &kernel, Fragment &sum, bool inclusive);

private:
  void clear(Kernel &kernel);
  Fragment poison(Kernel &kernel, const Fragment &sum, bool inclusive) const;

  Fragment packed;
  Num hasNonFinite;
  /// The first token of each of this thread's two value columns, once known.
  Fragment first;
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_NONFINITE_H
