//===- DescribeArguments.h - an entry function's buffers, for a launch ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_DESCRIBEARGUMENTS_H
#define QDELTA_CONVERSION_DESCRIBEARGUMENTS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// The value of `qdelta.arguments` for buffers of these types: those of the
/// entry function's arguments, then of its results, but for the final states if
/// states are updated `inPlace`.
mlir::ArrayAttr describeArguments(mlir::TypeRange types,
                                  RecurrenceOp recurrence, bool inPlace);

} // namespace qdelta

#endif // QDELTA_CONVERSION_DESCRIBEARGUMENTS_H
