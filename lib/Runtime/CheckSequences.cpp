//===- CheckSequences.cpp - whether cu_seqlens divides the tokens ---------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Launch.h"
#include "Status.h"

#include <cstring>

using namespace qdelta::runtime;

static int64_t readInteger(const char *from, int64_t bytes) {
  if (bytes == sizeof(int64_t)) {
    int64_t value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  int32_t value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

qdeltaStatus *Launch::countSequences() {
  if (!cuSeqlens)
    return nullptr;
  SharedSize &batch = shared[-QDELTA_DIM_BATCH];
  int64_t size = cuSeqlens->sizes[0];
  if (!batch.owner)
    batch = {size - 1, cuSeqlens->argument};
  if (size - 1 == batch.size)
    return nullptr;
  return makeStatus(QDELTA_ERROR_SIZE, cuSeqlens->argument->name,
                    "expected " + describe(*cuSeqlens->argument) +
                        " to have B + 1 = " + std::to_string(batch.size + 1) +
                        " elements for the B = " + std::to_string(batch.size) +
                        " of " + describe(*batch.owner) + ", but got " +
                        std::to_string(size));
}

qdeltaStatus *Launch::checkBounds(const char *data, int64_t stride) const {
  const qdeltaArgument &argument = *cuSeqlens->argument;
  int64_t bytes = cuSeqlens->elementBytes(), last = 0;
  auto fail = [&](const std::string &wanted, const std::string &found) {
    return makeStatus(QDELTA_ERROR_CU_SEQLENS, argument.name,
                      "expected " + describe(argument) + " " + wanted +
                          ", but got " + found);
  };
  for (int64_t n = 0; n <= batch(); ++n) {
    int64_t bound = readInteger(data + n * stride * bytes, bytes);
    if (n == 0 && bound != 0)
      return fail("to begin with 0", std::to_string(bound));
    if (bound < last)
      return fail("not to decrease", std::to_string(last) + " and then " +
                                         std::to_string(bound) + " at index " +
                                         std::to_string(n));
    if (bound - last > mostTokens())
      return fail("to end sequences of at most 2^(L - 1) tokens for L = " +
                      std::to_string(shared[-QDELTA_DIM_LEVELS].size) +
                      " levels",
                  std::to_string(bound - last));
    last = bound;
  }
  if (last == time())
    return nullptr;
  const SharedSize &tokens = shared[-QDELTA_DIM_TIME];
  return fail("to end with T = " + std::to_string(time()) +
                  (tokens.owner ? " of " + describe(*tokens.owner) : ""),
              std::to_string(last));
}

int64_t Launch::lengthOf(int64_t batch) const {
  if (!cuSeqlens)
    return time();
  int64_t bytes = cuSeqlens->elementBytes();
  int64_t stride = cuSeqlens->strides[0] * bytes;
  const char *begin = cuSeqlens->data + batch * stride;
  return readInteger(begin + stride, bytes) - readInteger(begin, bytes);
}

qdeltaStatus *Launch::checkSequences() const {
  return cuSeqlens ? checkBounds(cuSeqlens->data, cuSeqlens->strides[0])
                   : nullptr;
}

qdeltaStatus *Launch::checkSequencesOn(DeviceRun &run) const {
  if (!cuSeqlens)
    return nullptr;
  // The last dimension of every tensor on a device is contiguous.
  std::vector<char> copy(static_cast<size_t>(cuSeqlens->sizes[0]) *
                         static_cast<size_t>(cuSeqlens->elementBytes()));
  if (qdeltaStatus *error = run.read(copy.data(), cuSeqlens->data, copy.size()))
    return error;
  return checkBounds(copy.data(), 1);
}
