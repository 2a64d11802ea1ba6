//===- QDeltaOps.td - all ops of the dialect -----------------*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_OPS_TD
#define QDELTA_OPS_TD

include "qdelta/Dialect/QDelta/IR/RecurrenceOps.td"
include "qdelta/Dialect/QDelta/IR/AffineOps.td"
include "qdelta/Dialect/QDelta/IR/ChunkOps.td"

#endif // QDELTA_OPS_TD
