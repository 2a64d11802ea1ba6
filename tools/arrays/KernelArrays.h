//===- KernelArrays.h - arrays for a kernel's arguments --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_ARRAYS_KERNELARRAYS_H
#define QDELTA_TOOLS_ARRAYS_KERNELARRAYS_H

#include "arrays/Array.h"
#include "arrays/RandomInputs.h"

#include <map>

namespace qdelta::tools {

std::vector<const qdeltaArgument *> argumentsOf(const qdeltaKernel *kernel);

/// Whether it is an output, a final state or a state updated in place.
bool isWritten(const qdeltaArgument &argument);
/// Whether it is a state or a pool of them, updated in place.
bool isInPlace(const qdeltaArgument &argument);

InputDescription describeInput(const qdeltaArgument &argument);

/// The key dimension of the kernel's first state or, if it has none, of its
/// first token input of norm 1; else 1.
int64_t keysOf(const qdeltaKernel *kernel);

/// The fewest levels that hold `tokens` tokens.
int64_t levelsFor(int64_t tokens);

/// The argument's shape where a launch has `sizes`: B, T, H and HV, which is H
/// if it is not given, and L, which is as few as T allows then. Tokens have the
/// heads that they usually have. Returns what is wrong, "" for nothing.
std::string shapeOf(const qdeltaArgument &argument,
                    const std::map<std::string, int64_t> &sizes,
                    std::vector<int64_t> &shape);

/// Launches on arrays in the order of the arguments and reads back those that
/// are written; on engine cuda, copies everything to device 0 and waits.
qdeltaStatus *launchArrays(const qdeltaModule *module,
                           const qdeltaKernel *kernel,
                           std::vector<Array> &arrays,
                           const qdeltaLaunchOptions &options);

/// `memory: 1128.0 bytes a token and head; instructions: ...`, the latter in
/// all. `tokens` is B T HV, at least 1.
std::string formatCounts(const qdeltaCounts &counts, int64_t tokens);

/// Reads `random,late,7`, the value of --emulate, into schedule, completion and
/// seed. Returns what is wrong, "" for nothing.
std::string parseEmulation(std::string_view text, qdeltaLaunchOptions &options);

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_ARRAYS_KERNELARRAYS_H
