//===- Reduce.h - a small program that fails in the same way ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_SMITH_REDUCE_H
#define QDELTA_TOOLS_SMITH_REDUCE_H

#include "Generate.h"

namespace qdelta::tools {

/// The case less everything without which `fails` still holds: entries,
/// outputs, terms, factors, signs, then kinds of inputs and sizes: those for
/// the prime field or those of launches. `fails` holds for `what`, and for the
/// result.
Case reduce(Case what, bool isExact,
            llvm::function_ref<bool(const Case &)> fails);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_SMITH_REDUCE_H
