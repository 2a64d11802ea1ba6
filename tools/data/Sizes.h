//===- Sizes.h - a run's sizes, from --shape and inputs --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_DATA_SIZES_H
#define QDELTA_TOOLS_DATA_SIZES_H

#include "data/Npy.h"
#include "data/Signature.h"

#include <map>
#include <optional>

namespace qdelta::tools {

/// B, T, H, HV, K and V of one run.
using Sizes = std::map<std::string, int64_t>;

/// Reads `B=2,T=65,H=2,K=60,V=100`: some or all of the six sizes.
llvm::Expected<Sizes> parseShape(llvm::StringRef text);

/// All six sizes, from `wanted` (what --shape says), the recurrence's types and
/// the inputs that are given (one entry per input of the signature). HV is
/// H unless something says otherwise. Fails with both sides of a disagreement,
/// with the size that nothing gives, and when the tensors together are larger
/// than 2^63 bytes or than this machine's memory.
llvm::Expected<Sizes>
resolveSizes(const Signature &signature, const Sizes &wanted,
             llvm::ArrayRef<std::optional<FloatTensor>> given);

/// The sizes that an argument's symbols stand for.
std::vector<int64_t> shapeOf(const Argument &argument, const Sizes &sizes);

/// `B=2, T=65, H=2, HV=4, K=60, V=100`.
std::string formatSizes(const Sizes &sizes);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_DATA_SIZES_H
