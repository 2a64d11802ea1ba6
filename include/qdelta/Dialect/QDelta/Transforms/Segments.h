//===- Segments.h - summaries of segments of sequences ----------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_TRANSFORMS_SEGMENTS_H
#define QDELTA_DIALECT_QDELTA_TRANSFORMS_SEGMENTS_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace qdelta {

class RecurrenceOp;

/// Whether runs of the recurrence's tokens have summaries: one matrix state, on
/// its key side, without levels, of which other states do not depend.
bool hasSummary(RecurrenceOp of);

/// The kinds of recurrences that are derived, and their entries: the summary of
/// tokens, the summary of two runs of tokens one behind the other, and the
/// state that a summary leads to.
inline constexpr llvm::StringLiteral kSummaryKinds[] = {"summary", "compose",
                                                        "apply"};

bool isSummaryKind(llvm::StringRef kind);

/// How many segments sequences of `tokens` tokens are best split into on
/// `threads` threads, of which `items` batch entries and heads fill as many: 1
/// unless there are at least two threads for each, and segments are long enough
/// to pay for their K x K summaries (docs/Decisions/0023).
int64_t chooseSegments(int64_t items, int64_t tokens, int64_t threads);

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_TRANSFORMS_SEGMENTS_H
