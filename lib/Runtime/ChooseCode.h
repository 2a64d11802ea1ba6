//===- ChooseCode.h - which code runs on a GPU ------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_LIB_RUNTIME_CHOOSECODE_H
#define QDELTA_LIB_RUNTIME_CHOOSECODE_H

#include "Backend.h"

namespace qdelta::runtime {

/// The code that a device of compute capability `major`.`minor` runs best: made
/// for exactly it with its own features, then made for it, then for an older
/// one; a cubin before PTX. Only of `target` unless that is empty. Null if it
/// runs none.
const DeviceCode *chooseCode(const std::vector<DeviceCode> &codes, int major,
                             int minor, const std::string &target);

} // namespace qdelta::runtime

#endif // QDELTA_LIB_RUNTIME_CHOOSECODE_H
