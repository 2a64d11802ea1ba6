//===- DeviceLaunch.cpp - packs a launch for a device ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Launch.h"
#include "Status.h"

#include <algorithm>
#include <cstddef>

using namespace qdelta::runtime;

/// The last size of the first sequence written, or else of the first state.
static int64_t countColumns(const std::vector<TensorView> &views) {
  for (qdeltaRole role : {QDELTA_ROLE_OUTPUT, QDELTA_ROLE_FINAL_STATE,
                          QDELTA_ROLE_STATE, QDELTA_ROLE_STATE_POOL})
    for (const TensorView &view : views)
      if (view.argument->role == role && view.rank() == 4)
        return view.sizes[3];
  return 1;
}

int64_t Launch::countBlocks(const DeviceStep &step) const {
  if (step.blocks)
    return step.blocks;
  int64_t columns = countColumns(views);
  return columns / step.columns + (columns % step.columns != 0);
}

/// The dimension that counts heads.
static int32_t headDimension(const qdeltaArgument &argument) {
  switch (argument.role) {
  case QDELTA_ROLE_TOKEN:
  case QDELTA_ROLE_OUTPUT:
    return 2;
  case QDELTA_ROLE_PARAM:
  case QDELTA_ROLE_STATE_INDEX:
  case QDELTA_ROLE_POSITION:
    return 0;
  case QDELTA_ROLE_INITIAL_STATE:
  case QDELTA_ROLE_FINAL_STATE:
  case QDELTA_ROLE_STATE:
  case QDELTA_ROLE_STATE_POOL:
  case QDELTA_ROLE_CU_SEQLENS:
    break;
  }
  return 1;
}

/// Whether a tensor has a number for each level.
static bool isPerLevel(const TensorView &view) {
  return view.rank() == 4 && view.argument->shape[3] == QDELTA_DIM_LEVELS;
}

/// A tensor with a number for each level, as one whose heads are those of all
/// levels.
static qdeltaStatus *mergeLevels(const TensorView &view, int64_t *words) {
  int64_t levels = view.sizes[3];
  if (view.sizes[2] > 1 && view.strides[2] != levels)
    return makeStatus(QDELTA_ERROR_STRIDE, view.argument->name,
                      "expected dimension 2 of " + describe(*view.argument) +
                          " to have stride L = " + std::to_string(levels) +
                          ", but got " + std::to_string(view.strides[2]));
  words[3] = 1;
  words[4] = view.sizes[2] * levels;
  return nullptr;
}

static void addWords(const TensorView &view, std::vector<int64_t> &words) {
  ArgumentWords argument = {};
  argument.pointer =
      static_cast<int64_t>(reinterpret_cast<uintptr_t>(view.data));
  for (int32_t d = 0; d < 3 && d < view.rank(); ++d)
    argument.strides[d] = view.strides[d];
  bool hasHeads = view.argument->role != QDELTA_ROLE_CU_SEQLENS;
  argument.heads = hasHeads ? view.sizes[headDimension(*view.argument)] : 1;
  words.push_back(argument.pointer);
  words.insert(words.end(), argument.strides, argument.strides + 3);
  words.push_back(argument.heads);
}

static uint32_t tensorMapType(DLDataType type) {
  if (type.bits == 32)
    return 7;
  return type.code == kDLBfloat ? 9 : 6;
}

/// Describes a sequence [B, T, H, D] as (D, H, T, B).
static qdeltaStatus *describeMap(const TensorView &view,
                                 const qdeltaTensorMap &map,
                                 TensorMapShape &shape) {
  constexpr int64_t unit = 16, maxStride = int64_t(1) << 40;
  const qdeltaArgument &argument = *view.argument;
  auto fail = [&](const std::string &wanted, const std::string &found) {
    return makeStatus(QDELTA_ERROR_TENSOR_MAP, argument.name,
                      "expected " + wanted + " of " + describe(argument) +
                          ", which is read through a tensor map, but got " +
                          found);
  };
  uintptr_t offset = reinterpret_cast<uintptr_t>(view.data) % unit;
  if (offset)
    return fail("16-byte alignment", "an address " + std::to_string(offset) +
                                         " past a multiple of 16");
  shape.view = &view;
  shape.type = tensorMapType(argument.dtype);
  shape.swizzle = static_cast<uint32_t>(map.swizzle);
  int64_t rowBytes = view.sizes[3] * view.elementBytes();
  for (int32_t i = 0; i < 4; ++i) {
    int64_t size = view.sizes[3 - i];
    if (size > int64_t(1) << 32)
      return fail("sizes of at most 2^32", std::to_string(size));
    shape.sizes[i] = static_cast<uint64_t>(size);
    shape.box[i] = 1;
    if (i == 0)
      continue;
    int64_t stride = view.strides[3 - i], bytes;
    if (size == 1)
      bytes = (rowBytes + unit - 1) / unit * unit; // never used
    else if (__builtin_mul_overflow(stride, view.elementBytes(), &bytes) ||
             bytes <= 0 || bytes % unit || bytes >= maxStride)
      return fail("strides that are positive multiples of 16 bytes",
                  "stride " + std::to_string(stride) + " of dimension " +
                      std::to_string(3 - i));
    shape.strides[i - 1] = static_cast<uint64_t>(bytes);
  }
  shape.box[0] = static_cast<uint32_t>(map.box_columns);
  shape.box[2] = static_cast<uint32_t>(map.box_rows);
  return nullptr;
}

/// The first dimension from which on a view's elements are in one row, and how
/// many elements that row has.
static int32_t findRow(const TensorView &a, const TensorView &b,
                       int64_t &elements) {
  int32_t d = a.rank();
  elements = 1;
  while (d > 0 && (a.sizes[d - 1] == 1 || (a.strides[d - 1] == elements &&
                                           b.strides[d - 1] == elements))) {
    --d;
    elements *= a.sizes[d];
  }
  return d;
}

/// Copies rows of `elements` elements, from dimension `d` on to `end`.
static qdeltaStatus *copyRows(DeviceRun &run, const TensorView &to,
                              const TensorView &from, int32_t end,
                              int64_t elements, int64_t toOffset = 0,
                              int64_t fromOffset = 0, int32_t d = 0) {
  int64_t bytes = to.elementBytes();
  if (d == end)
    return run.copy(to.data + toOffset * bytes, from.data + fromOffset * bytes,
                    static_cast<size_t>(elements * bytes));
  for (int64_t i = 0; i < to.sizes[d]; ++i)
    if (qdeltaStatus *error =
            copyRows(run, to, from, end, elements, toOffset + i * to.strides[d],
                     fromOffset + i * from.strides[d], d + 1))
      return error;
  return nullptr;
}

qdeltaStatus *Launch::copyStatesOn(DeviceRun &run) const {
  for (auto [to, from] : states()) {
    if (to->isEmpty())
      continue;
    int64_t elements;
    int32_t end = findRow(*to, *from, elements);
    if (qdeltaStatus *error = copyRows(run, *to, *from, end, elements))
      return error;
  }
  return nullptr;
}

/// Kernels copy whole rows in units of 16, 8 or 4 bytes, if rows consist of
/// those; see DeviceKernel.h.
static qdeltaStatus *checkUnits(const TensorView &view) {
  const qdeltaArgument &argument = *view.argument;
  if (argument.rank != 4 || view.isEmpty())
    return nullptr;
  int64_t bytes = view.elementBytes(), unit = 16;
  while (unit > bytes && view.sizes[3] * bytes % unit)
    unit /= 2;
  auto fail = [&](qdeltaErrorCode code, const std::string &found) {
    return makeStatus(code, argument.name,
                      "expected address and strides of " + describe(argument) +
                          " to be multiples of " + std::to_string(unit) +
                          " bytes, which its rows are copied in, but got " +
                          found);
  };
  uintptr_t offset =
      reinterpret_cast<uintptr_t>(view.data) % static_cast<uintptr_t>(unit);
  if (offset)
    return fail(QDELTA_ERROR_DATA, "an address " + std::to_string(offset) +
                                       " past a multiple of it");
  for (int32_t i = 0; i < 3; ++i)
    if (view.sizes[i] > 1 && view.strides[i] * bytes % unit)
      return fail(QDELTA_ERROR_STRIDE,
                  "stride " + std::to_string(view.strides[i] * bytes) +
                      " of dimension " + std::to_string(i));
  return nullptr;
}

static qdeltaStatus *tooManyBytes() {
  return makeStatus(QDELTA_ERROR_OVERFLOW, "",
                    "expected the sequences between the kernels of a launch to "
                    "have fewer than 2^63 bytes");
}

qdeltaStatus *Launch::addWorkspaces(DeviceRun &run,
                                    std::vector<TensorView> &tensors) const {
  constexpr int64_t alignment = 256;
  std::vector<int64_t> starts;
  int64_t end = 0;
  for (const qdeltaArgument &workspace : run.code().workspaces) {
    TensorView view;
    view.argument = &workspace;
    int64_t bytes = view.elementBytes();
    for (int32_t d = workspace.rank; d-- > 0;) {
      int64_t size = workspace.shape[d];
      view.sizes[d] = size < 0 ? shared[-size].size : size;
      view.strides[d] = bytes / view.elementBytes();
      if (__builtin_mul_overflow(bytes, view.sizes[d], &bytes))
        return tooManyBytes();
    }
    view.high = static_cast<uintptr_t>(bytes);
    starts.push_back(end);
    if (__builtin_add_overflow(end, bytes, &end) ||
        __builtin_add_overflow(end, alignment, &end))
      return tooManyBytes();
    end -= end % alignment;
    tensors.push_back(view);
  }
  if (starts.empty())
    return nullptr;
  char *memory;
  if (qdeltaStatus *error = run.allocate(static_cast<size_t>(end), memory))
    return error;
  for (size_t i = 0; i < starts.size(); ++i) {
    TensorView &view = tensors[views.size() + i];
    view.data = memory + starts[i];
    view.low = reinterpret_cast<uintptr_t>(view.data);
    view.high += view.low;
  }
  return nullptr;
}

/// Whether the heads of a step are those of all levels, as those of the first
/// tensor that it writes are.
static bool hasLevelHeads(const DeviceStep &step,
                          const std::vector<TensorView> &tensors) {
  auto written = std::find(step.writes.begin(), step.writes.end(), true);
  if (written == step.writes.end())
    return false;
  auto first = static_cast<size_t>(written - step.writes.begin());
  const qdeltaArgument &argument =
      *tensors[static_cast<size_t>(step.tensors[first])].argument;
  return argument.shape[headDimension(argument)] == QDELTA_DIM_LEVEL_HEADS;
}

qdeltaStatus *Launch::pack(DeviceRun &run, const DeviceStep &step,
                           const std::vector<TensorView> &tensors,
                           PackedLaunch &packed) const {
  int64_t runs = step.tokens ? (time() - 1) / step.tokens + 1 : 1;
  int64_t blocks = countBlocks(step), ctas;
  bool isOfLevels = hasLevelHeads(step, tensors);
  int64_t heads =
      isOfLevels ? shared[-QDELTA_DIM_LEVEL_HEADS].size : valueHeads();
  int64_t all;
  if (__builtin_mul_overflow(batch(), heads, &all))
    all = INT64_MAX;
  if (__builtin_mul_overflow(all, runs, &ctas) ||
      __builtin_mul_overflow(ctas, blocks, &ctas) || ctas > INT32_MAX)
    return makeStatus(QDELTA_ERROR_OVERFLOW, "",
                      "expected a grid of less than 2^31 blocks, but got " +
                          std::to_string(all) + " * " +
                          (step.tokens ? std::to_string(runs) + " * " : "") +
                          std::to_string(blocks));
  packed.ctas = static_cast<uint32_t>(ctas);
  for (int32_t tensor : step.tensors) {
    packed.views.push_back(&tensors[static_cast<size_t>(tensor)]);
    addWords(*packed.views.back(), packed.words);
    if (!isOfLevels || !isPerLevel(*packed.views.back()))
      continue;
    if (qdeltaStatus *error = mergeLevels(
            *packed.views.back(), &*(packed.words.end() - kArgumentWords)))
      return error;
  }
  packed.words.insert(packed.words.end(), {time(), heads, batch()});
  packed.maps.resize(step.tensorMaps.size());
  for (size_t i = 0; i < packed.maps.size() && ctas; ++i) {
    const qdeltaTensorMap &map = step.tensorMaps[i];
    TensorMapShape shape;
    if (qdeltaStatus *error = describeMap(
            *packed.views[static_cast<size_t>(map.argument)], map, shape))
      return error;
    if (qdeltaStatus *error = run.encode(shape, packed.maps[i]))
      return error;
  }
  return nullptr;
}

qdeltaStatus *Launch::runOnDevice(DeviceRun &run) const {
  if (qdeltaStatus *error = run.check(views))
    return error;
  if (qdeltaStatus *error = checkSequencesOn(run))
    return error;
  if (hasNoTokens())
    return copyStatesOn(run);
  if (items == 0)
    return nullptr;
  std::vector<TensorView> tensors = views;
  if (qdeltaStatus *error = addWorkspaces(run, tensors))
    return error;
  const std::vector<DeviceStep> &steps = run.code().steps;
  std::vector<PackedLaunch> packed(steps.size());
  for (size_t i = 0; i < steps.size(); ++i)
    if (qdeltaStatus *error = pack(run, steps[i], tensors, packed[i]))
      return error;
  for (const TensorView &view : views)
    if (qdeltaStatus *error = checkUnits(view))
      return error;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (packed[i].ctas == 0)
      continue;
    if (qdeltaStatus *error = run.launch(steps[i], packed[i]))
      return error;
  }
  return nullptr;
}
