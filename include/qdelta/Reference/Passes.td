//===- Passes.td - passes that evaluate what they check -------*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_REFERENCE_PASSES_TD
#define QDELTA_REFERENCE_PASSES_TD

include "mlir/Pass/PassBase.td"

def CheckDerivation : Pass<"qdelta-check-derivation", "::mlir::ModuleOp"> {
  let summary = "prove derived forms equal to their recurrence, without rounding";
  let description = [{
    Every function with `qdelta.recurrence = @name` says that it computes what
    the token loop of @name does: its arguments are the token inputs, the
    parameters and the initial states, its results the outputs and the final
    states. Both are evaluated in a prime field, with e^x as a homomorphism and
    other functions opaque, at random points and several sizes; they have to
    agree exactly. Sequence lengths are 0, 1, C + 1 and 2C + 3, where C is the
    chunk of the function's `#qdelta.schedule` or of its `qdelta.chunk`
    attribute, else 4; with a span (`qdelta.span`) also one more than it holds.

    Comparisons of numbers have a pseudo-random outcome, so a right form must
    not depend on one, as a choice between two equal results does not; but -inf
    and 0 compare as smaller than all other numbers.

    Before: any module with such functions, in a phase up to linalg.
    After: the same module. A difference is an error that names the first
    element that differs; so is a module with nothing to check.
    Preconditions: the recurrences are still in the module.

    Numerics: preserving.
  }];
  let options = [
    Option<"seed", "seed", "uint64_t", "1", "where random points start">,
    Option<"draws", "draws", "unsigned", "3", "random points for each size">,
    Option<"erase", "erase", "bool", "false",
           "make a third of the log decays -inf">];
}

#endif // QDELTA_REFERENCE_PASSES_TD
