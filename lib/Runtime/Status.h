//===- Status.h - errors of the C interface --------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_STATUS_H
#define QDELTA_LIB_RUNTIME_STATUS_H

#include "qdelta-c/Runtime.h"

#include <string>

namespace qdelta::runtime {

/// A new status about `argument` ("" for none). If there is no memory for it,
/// the one status that says so.
qdeltaStatus *makeStatus(qdeltaErrorCode code, const std::string &argument,
                         const std::string &message) noexcept;

/// The same with `details`, members that its JSON gets too: `"reports": []`.
qdeltaStatus *makeStatus(qdeltaErrorCode code, const std::string &argument,
                         const std::string &message,
                         const std::string &details) noexcept;

/// The text as a JSON string, quotes included.
std::string quoted(const std::string &text);

/// The status of the exception being handled.
qdeltaStatus *statusOfException() noexcept;

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_STATUS_H
