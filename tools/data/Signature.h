//===- Signature.h - a recurrence's arguments, by name ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_SIGNATURE_H
#define QDELTA_TOOLS_DATA_SIGNATURE_H

#include "arrays/Elements.h"
#include "qdelta-c/Runtime.h"
#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace qdelta::tools {

/// An input or output of a recurrence over sequences.
struct Argument {
  /// An output is `o`, or `o1`, `o2`, ... when there are several; a final state
  /// is its state's name with `_final`.
  std::string name;
  qdeltaRole role;
  /// The sizes' symbols: B, T, H, HV, K, V, and L of levels. A token's heads
  /// are H or HV, as models use them: key vectors that are no decay have H
  /// heads, all other tokens HV. An input with any divisor of HV is accepted.
  /// Of packed sequences B counts them, tokens and outputs have `1` and
  /// cu_seqlens has `B+1`.
  std::vector<std::string> dims;
  qdeltaDomain domain = QDELTA_DOMAIN_ANY;
  double low = 0, high = 0;
  /// What its elements are stored in.
  Format format = Format::F32;
};

struct Signature {
  std::string recurrence;
  /// Tokens, parameters, initial states and, if it is packed, cu_seqlens.
  std::vector<Argument> inputs;
  /// Outputs and final states.
  std::vector<Argument> outputs;
  /// K and V where the recurrence's types fix them, else 0.
  int64_t key = 0, value = 0;
  /// What vectors of token inputs and outputs are stored in; with F64 all of
  /// it is.
  Format dtype = Format::F32;
};

/// `dtype` is what vectors of token inputs and outputs are stored in; F32
/// stands for what the recurrence says. Fails unless that is all f32, or all
/// f64 and not to be narrow. With `bounds`, I32 or I64, it is the signature of
/// the packed function, whose cu_seqlens has such elements.
llvm::Expected<Signature> getSignature(RecurrenceOp recurrence,
                                       Format dtype = Format::F32,
                                       std::optional<Format> bounds = {});

/// The argument of that name; an error lists the known ones and begins with
/// what `option` got.
llvm::Expected<size_t> findArgument(llvm::ArrayRef<Argument> arguments,
                                    llvm::StringRef name,
                                    llvm::StringRef option);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_SIGNATURE_H
