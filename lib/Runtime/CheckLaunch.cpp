//===- CheckLaunch.cpp - checks tensors together --------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Launch.h"
#include "Status.h"

#include <algorithm>
#include <cstring>

using namespace qdelta::runtime;

static qdeltaStatus *wrongCount(const qdeltaKernel &kernel, int64_t count) {
  std::string names;
  for (const qdeltaArgument &argument : kernel.arguments)
    names += (names.empty() ? "" : ", ") + describe(argument);
  return makeStatus(QDELTA_ERROR_COUNT, "",
                    "expected " + std::to_string(kernel.arguments.size()) +
                        " tensors for " + kernel.name + " (" + names +
                        "), but got " + std::to_string(count));
}

qdeltaStatus *Launch::check(const qdeltaKernel &kernel,
                            DLTensor *const *tensors, int64_t count,
                            qdeltaEngine engine) {
  if (count != static_cast<int64_t>(kernel.arguments.size()))
    return wrongCount(kernel, count);
  if (count != 0 && !tensors)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected an array of tensors, but got NULL");
  views.resize(kernel.arguments.size());
  for (size_t i = 0; i < views.size(); ++i)
    if (qdeltaStatus *error =
            viewTensor(kernel.arguments[i], tensors[i], engine, views[i]))
      return error;
  if (engine == QDELTA_ENGINE_CUDA)
    if (qdeltaStatus *error = checkDevices(tensors))
      return error;
  for (const TensorView &view : views)
    if (view.argument->role == QDELTA_ROLE_CU_SEQLENS)
      cuSeqlens = &view;
  if (qdeltaStatus *error = bindSizes())
    return error;
  if (qdeltaStatus *error = checkHeads())
    return error;
  if (qdeltaStatus *error = countSequences())
    return error;
  if (qdeltaStatus *error = countItems())
    return error;
  if (qdeltaStatus *error = checkTokens(kernel))
    return error;
  if (qdeltaStatus *error = checkLevels())
    return error;
  if (qdeltaStatus *error = checkOverlap())
    return error;
  // On engine cuda an index is the caller's to answer for, and cu_seqlens is
  // read once there is a run on the device.
  if (engine == QDELTA_ENGINE_CUDA)
    return nullptr;
  if (qdeltaStatus *error = checkIndex())
    return error;
  if (qdeltaStatus *error = checkSequences())
    return error;
  return checkPosition();
}

qdeltaStatus *Launch::checkDevices(DLTensor *const *tensors) {
  for (size_t i = 0; i < views.size(); ++i) {
    int32_t found = tensors[i]->device.device_id;
    if (i == 0)
      device = found;
    if (found != device)
      return makeStatus(QDELTA_ERROR_DEVICE, views[i].argument->name,
                        "expected " + describe(*views[i].argument) +
                            " to be on device " + std::to_string(device) +
                            " as " + describe(*views[0].argument) +
                            " is, but got device " + std::to_string(found));
  }
  return nullptr;
}

int64_t qdelta::runtime::meaningOf(const qdeltaArgument &argument, int32_t d) {
  static constexpr int64_t token[] = {QDELTA_DIM_BATCH, QDELTA_DIM_TIME,
                                      QDELTA_DIM_HEADS, 0};
  static constexpr int64_t output[] = {QDELTA_DIM_BATCH, QDELTA_DIM_TIME,
                                       QDELTA_DIM_VALUE_HEADS, 0};
  static constexpr int64_t param[] = {QDELTA_DIM_VALUE_HEADS, 0, 0, 0};
  static constexpr int64_t state[] = {QDELTA_DIM_BATCH, QDELTA_DIM_VALUE_HEADS,
                                      0, 0};
  static constexpr int64_t pool[] = {QDELTA_DIM_POOL, QDELTA_DIM_VALUE_HEADS, 0,
                                     0};
  static constexpr int64_t bounds[] = {QDELTA_DIM_BOUNDS, 0, 0, 0};
  if (argument.shape[d] == QDELTA_DIM_LEVEL_HEADS)
    return QDELTA_DIM_LEVEL_HEADS;
  switch (argument.role) {
  case QDELTA_ROLE_STATE_POOL:
    return pool[d];
  case QDELTA_ROLE_STATE_INDEX:
  case QDELTA_ROLE_POSITION:
    return QDELTA_DIM_BATCH;
  case QDELTA_ROLE_TOKEN:
    if (argument.shape[d] == QDELTA_DIM_LEVELS)
      return QDELTA_DIM_LEVELS;
    return token[d];
  case QDELTA_ROLE_OUTPUT:
    return output[d];
  case QDELTA_ROLE_PARAM:
    return param[d];
  case QDELTA_ROLE_CU_SEQLENS:
    return bounds[d];
  default:
    return state[d];
  }
}

qdeltaStatus *Launch::bindSizes() {
  static const char *const names[] = {"", "B", "T", "HV",  "",
                                      "", "N", "L", "HV L"};
  for (const TensorView &view : views)
    for (int32_t d = 0; d < view.rank(); ++d) {
      const qdeltaArgument &argument = *view.argument;
      int64_t symbol = -meaningOf(argument, d), size = view.sizes[d];
      // Of packed sequences the states say how many there are.
      if (symbol < 1 || symbol == -QDELTA_DIM_HEADS ||
          symbol == -QDELTA_DIM_BOUNDS ||
          (cuSeqlens && symbol == -QDELTA_DIM_BATCH && isSequence(argument)))
        continue;
      SharedSize &known = shared[symbol];
      if (!known.owner)
        known = {size, &argument};
      if (known.size != size)
        return makeStatus(QDELTA_ERROR_SIZE, argument.name,
                          "expected " + describe(argument) + " to have " +
                              names[symbol] + " = " +
                              std::to_string(known.size) + " as " +
                              describe(*known.owner) + " has, but got " +
                              std::to_string(size));
    }
  return bindLevelHeads();
}

/// The heads of states with levels are those of all levels.
qdeltaStatus *Launch::bindLevelHeads() {
  SharedSize &heads = shared[-QDELTA_DIM_LEVEL_HEADS];
  const SharedSize &levels = shared[-QDELTA_DIM_LEVELS];
  if (!heads.owner || !levels.owner)
    return nullptr;
  int64_t wanted;
  if (__builtin_mul_overflow(valueHeads(), levels.size, &wanted))
    wanted = INT64_MAX;
  if (heads.size == wanted)
    return nullptr;
  return makeStatus(
      QDELTA_ERROR_SIZE, heads.owner->name,
      "expected " + describe(*heads.owner) +
          " to have one state for each of L = " + std::to_string(levels.size) +
          " levels of " + describe(*levels.owner) +
          " and HV = " + std::to_string(valueHeads()) + " heads, but got " +
          std::to_string(heads.size));
}

qdeltaStatus *Launch::checkHeads() const {
  const SharedSize &valueHeads = shared[-QDELTA_DIM_VALUE_HEADS];
  if (!valueHeads.owner)
    return nullptr;
  for (const TensorView &view : views)
    for (int32_t d = 0; d < view.rank(); ++d) {
      if (meaningOf(*view.argument, d) != QDELTA_DIM_HEADS)
        continue;
      int64_t heads = view.sizes[d];
      if (heads == 0 ? valueHeads.size == 0 : valueHeads.size % heads == 0)
        continue;
      return makeStatus(
          QDELTA_ERROR_HEADS, view.argument->name,
          "HV = " + std::to_string(valueHeads.size) + " of " +
              describe(*valueHeads.owner) + " must be a multiple of H = " +
              std::to_string(heads) + " of " + describe(*view.argument));
    }
  return nullptr;
}

qdeltaStatus *Launch::countItems() {
  int64_t batch = shared[-QDELTA_DIM_BATCH].size;
  int64_t heads = shared[-QDELTA_DIM_VALUE_HEADS].size;
  if (!__builtin_mul_overflow(batch, heads, &items))
    return nullptr;
  return makeStatus(QDELTA_ERROR_OVERFLOW, "",
                    "expected B * HV to be less than 2^63, but got " +
                        std::to_string(batch) + " * " + std::to_string(heads));
}

qdeltaStatus *Launch::checkTokens(const qdeltaKernel &kernel) const {
  if (time() <= QDELTA_MOST_STEP_TOKENS ||
      std::none_of(kernel.arguments.begin(), kernel.arguments.end(), isInPlace))
    return nullptr;
  return makeStatus(QDELTA_ERROR_TOKENS, "",
                    "expected at most " +
                        std::to_string(QDELTA_MOST_STEP_TOKENS) +
                        " tokens for " + kernel.name +
                        ", whose states are updated in place, but got T = " +
                        std::to_string(time()));
}

int64_t Launch::mostTokens() const {
  const SharedSize &levels = shared[-QDELTA_DIM_LEVELS];
  constexpr int64_t kAll = 62;
  return !levels.owner || levels.size > kAll ? INT64_MAX
         : levels.size < 1                   ? 0
                                             : int64_t(1) << (levels.size - 1);
}

qdeltaStatus *Launch::checkLevels() const {
  const SharedSize &levels = shared[-QDELTA_DIM_LEVELS];
  // Packed sequences are shorter.
  if (!levels.owner || cuSeqlens || time() <= mostTokens())
    return nullptr;
  return makeStatus(QDELTA_ERROR_SIZE, levels.owner->name,
                    "expected " + describe(*levels.owner) +
                        " to have levels for T = " + std::to_string(time()) +
                        " tokens, at most 2^(L - 1), but got L = " +
                        std::to_string(levels.size));
}

qdeltaStatus *Launch::checkPosition() const {
  auto found = std::find_if(views.begin(), views.end(), [](const auto &view) {
    return view.argument->role == QDELTA_ROLE_POSITION;
  });
  const SharedSize &levels = shared[-QDELTA_DIM_LEVELS];
  if (found == views.end() || !levels.owner)
    return nullptr;
  int64_t most = mostTokens();
  for (int64_t b = 0; b < found->sizes[0]; ++b) {
    int32_t position;
    std::memcpy(&position,
                found->data + b * found->strides[0] * found->elementBytes(),
                sizeof(position));
    int64_t tokens = lengthOf(b);
    if (position >= 0 && (tokens == 0 || tokens <= most - position))
      continue;
    return makeStatus(
        QDELTA_ERROR_POSITION, found->argument->name,
        "expected " + describe(*found->argument) +
            " to be at least 0 and, with the tokens that follow, at most "
            "2^(L - 1) for the L = " +
            std::to_string(levels.size) + " of " + describe(*levels.owner) +
            ", but entry " + std::to_string(b) + " is " +
            std::to_string(position) + " before " + std::to_string(tokens) +
            " tokens");
  }
  return nullptr;
}

qdeltaStatus *Launch::checkIndex() const {
  auto index = std::find_if(views.begin(), views.end(), [](const auto &view) {
    return view.argument->role == QDELTA_ROLE_STATE_INDEX;
  });
  if (index == views.end())
    return nullptr;
  const SharedSize &pool = shared[-QDELTA_DIM_POOL];
  auto fail = [&](const std::string &message) {
    return makeStatus(QDELTA_ERROR_INDEX, index->argument->name, message);
  };
  std::string name = describe(*index->argument);
  std::vector<std::pair<int32_t, int64_t>> entries;
  for (int64_t b = 0; b < index->sizes[0]; ++b) {
    int32_t entry;
    std::memcpy(&entry,
                index->data + b * index->strides[0] * index->elementBytes(),
                sizeof(entry));
    entries.emplace_back(entry, b);
    if (entry >= 0 && entry < pool.size)
      continue;
    return fail(
        "expected " + name +
        " to name one of the N = " + std::to_string(pool.size) +
        " entries of " + (pool.owner ? describe(*pool.owner) : "no pool") +
        ", but entry " + std::to_string(b) + " is " + std::to_string(entry));
  }
  std::sort(entries.begin(), entries.end());
  for (size_t i = 1; i < entries.size(); ++i)
    if (entries[i].first == entries[i - 1].first)
      return fail("expected the numbers of " + name +
                  " to be distinct, but entries " +
                  std::to_string(entries[i - 1].second) + " and " +
                  std::to_string(entries[i].second) + " are both " +
                  std::to_string(entries[i].first));
  return nullptr;
}

qdeltaStatus *Launch::checkOverlap() const {
  for (const TensorView &written : views) {
    if (!isWritten(*written.argument))
      continue;
    std::string name = describe(*written.argument);
    if (mayOverlapItself(written))
      return makeStatus(QDELTA_ERROR_OVERLAP, written.argument->name,
                        "the strides of " + name +
                            " put elements on top of each other");
    for (const TensorView &other : views)
      if (&other != &written && mayOverlap(written, other))
        return makeStatus(QDELTA_ERROR_OVERLAP, written.argument->name,
                          "expected " + name +
                              " to have memory of its own, but it overlaps " +
                              describe(*other.argument));
  }
  return nullptr;
}
