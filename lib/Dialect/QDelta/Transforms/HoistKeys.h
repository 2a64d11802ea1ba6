//===- HoistKeys.h - a list's own key vectors, made before it ---*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_HOISTKEYS_H
#define QDELTA_TRANSFORMS_HOISTKEYS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

namespace qdelta {

/// Makes each scalar that takes more than an instruction or two for a function,
/// each key vector that is no input of the list's token, and each value
/// vector that it computes with a vector parameter or with functions of
/// vectors, an output of a prescan without states in front of the list, and a
/// token input of the list. Replaces `op` and returns its successor; returns
/// `op` if there is none.
AffineScanOp hoistKeys(AffineScanOp op);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_HOISTKEYS_H
