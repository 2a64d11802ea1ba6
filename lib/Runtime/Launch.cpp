//===- Launch.cpp - checks tensors together, runs the kernel -------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "Status.h"
#include "TensorView.h"

#include <algorithm>

using namespace qdelta::runtime;

namespace {
constexpr int32_t maxThreads = 1024;

/// MLIR's strided memref descriptor, of rank at most 4.
struct Descriptor {
  float *base, *aligned;
  int64_t offset;
  int64_t sizesAndStrides[8];
};

/// A launch decides these sizes once; `owner` is the tensor that did.
struct SharedSize {
  int64_t size = 0;
  const qdeltaArgument *owner = nullptr;
};

/// The tensors of one launch, checked against each other.
class Launch {
public:
  qdeltaStatus *check(const qdeltaKernel &kernel, DLTensor *const *tensors,
                      int64_t count);
  void run(const qdeltaKernel &kernel, int32_t threads);

  /// B * HV.
  int64_t items = 0;
  /// Whether sequences are empty, so that states only pass through.
  bool hasNoTokens() const;
  void copyStates() const;

private:
  qdeltaStatus *bindSizes();
  qdeltaStatus *checkHeads() const;
  qdeltaStatus *checkOverlap() const;
  qdeltaStatus *countItems();

  std::vector<TensorView> views;
  /// Indexed by minus QDELTA_DIM_*: B, T and HV.
  SharedSize shared[4];
};
} // namespace

static bool isWritten(const qdeltaArgument &argument) {
  return argument.role == QDELTA_ROLE_OUTPUT ||
         argument.role == QDELTA_ROLE_FINAL_STATE;
}

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
                            DLTensor *const *tensors, int64_t count) {
  if (count != static_cast<int64_t>(kernel.arguments.size()))
    return wrongCount(kernel, count);
  if (count != 0 && !tensors)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected an array of tensors, but got NULL");
  views.resize(kernel.arguments.size());
  for (size_t i = 0; i < views.size(); ++i)
    if (qdeltaStatus *error =
            viewTensor(kernel.arguments[i], tensors[i], views[i]))
      return error;
  if (qdeltaStatus *error = bindSizes())
    return error;
  if (qdeltaStatus *error = checkHeads())
    return error;
  if (qdeltaStatus *error = countItems())
    return error;
  return checkOverlap();
}

/// What dimension `d` of an argument is, also if the kernel fixes its size; 0 for
/// a vector's own dimensions.
static int64_t meaningOf(const qdeltaArgument &argument, int32_t d) {
  static constexpr int64_t token[] = {QDELTA_DIM_BATCH, QDELTA_DIM_TIME,
                                      QDELTA_DIM_HEADS, 0};
  static constexpr int64_t output[] = {QDELTA_DIM_BATCH, QDELTA_DIM_TIME,
                                       QDELTA_DIM_VALUE_HEADS, 0};
  static constexpr int64_t param[] = {QDELTA_DIM_VALUE_HEADS, 0, 0, 0};
  static constexpr int64_t state[] = {QDELTA_DIM_BATCH, QDELTA_DIM_VALUE_HEADS,
                                      0, 0};
  switch (argument.role) {
  case QDELTA_ROLE_TOKEN:
    return token[d];
  case QDELTA_ROLE_OUTPUT:
    return output[d];
  case QDELTA_ROLE_PARAM:
    return param[d];
  default:
    return state[d];
  }
}

qdeltaStatus *Launch::bindSizes() {
  static const char *const names[] = {"", "B", "T", "HV"};
  for (const TensorView &view : views)
    for (int32_t d = 0; d < view.rank(); ++d) {
      const qdeltaArgument &argument = *view.argument;
      int64_t symbol = -meaningOf(argument, d), size = view.sizes[d];
      if (symbol < 1 || symbol > 3)
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
  return nullptr;
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

bool Launch::hasNoTokens() const {
  const SharedSize &time = shared[-QDELTA_DIM_TIME];
  return time.owner && time.size == 0;
}

/// Copies elements of views of equal sizes, from dimension `d` on.
static void copyView(const TensorView &to, const TensorView &from,
                     int64_t toOffset = 0, int64_t fromOffset = 0,
                     int32_t d = 0) {
  if (d == to.rank()) {
    to.data[toOffset] = from.data[fromOffset];
    return;
  }
  for (int64_t i = 0; i < to.sizes[d]; ++i)
    copyView(to, from, toOffset + i * to.strides[d],
             fromOffset + i * from.strides[d], d + 1);
}

void Launch::copyStates() const {
  // The initial states and the final ones pair up: loading checked it.
  auto final = views.begin();
  for (const TensorView &view : views) {
    if (view.argument->role != QDELTA_ROLE_INITIAL_STATE)
      continue;
    while (final->argument->role != QDELTA_ROLE_FINAL_STATE)
      ++final;
    copyView(*final++, view);
  }
}

void Launch::run(const qdeltaKernel &kernel, int32_t threads) {
  std::vector<Descriptor> descriptors(views.size());
  std::vector<void *> pointers;
  for (size_t i = 0; i < views.size(); ++i) {
    const TensorView &view = views[i];
    Descriptor &descriptor = descriptors[i];
    descriptor = {view.data, view.data, 0, {}};
    std::copy_n(view.sizes, view.rank(), descriptor.sizesAndStrides);
    std::copy_n(view.strides, view.rank(),
                descriptor.sizesAndStrides + view.rank());
    pointers.push_back(&descriptor);
  }
  int64_t shares = std::min<int64_t>(threads, items);
  kernel.pool->run(items, static_cast<int32_t>(shares),
                   [&](int64_t begin, int64_t end) {
                     kernel.entry(pointers.data(), begin, end);
                   });
}

static qdeltaStatus *readOptions(const qdeltaLaunchOptions *options,
                                 int32_t &threads) {
  if (options && options->struct_size < sizeof(qdeltaLaunchOptions))
    return makeStatus(QDELTA_ERROR_STRUCT_SIZE, "",
                      "expected qdeltaLaunchOptions to have struct_size at "
                      "least " +
                          std::to_string(sizeof(qdeltaLaunchOptions)) +
                          ", but got " + std::to_string(options->struct_size));
  threads = options ? options->threads : 0;
  if (threads < 0 || threads > maxThreads)
    return makeStatus(QDELTA_ERROR_OPTION, "",
                      "expected threads from 0 to " +
                          std::to_string(maxThreads) + ", but got " +
                          std::to_string(threads));
  if (threads == 0)
    threads = std::min(ThreadPool::countCores(), maxThreads);
  return nullptr;
}

qdeltaStatus *qdeltaLaunch(const qdeltaKernel *kernel, DLTensor *const *tensors,
                           int64_t count, const qdeltaLaunchOptions *options) {
  if (!kernel)
    return makeStatus(QDELTA_ERROR_NULL_ARGUMENT, "",
                      "expected a kernel, but got NULL");
  try {
    int32_t threads;
    if (qdeltaStatus *error = readOptions(options, threads))
      return error;
    Launch launch;
    if (qdeltaStatus *error = launch.check(*kernel, tensors, count))
      return error;
    if (launch.hasNoTokens())
      launch.copyStates();
    else if (launch.items != 0)
      launch.run(*kernel, threads);
    return nullptr;
  } catch (...) {
    return statusOfException();
  }
}
