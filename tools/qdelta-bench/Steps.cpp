//===- Steps.cpp - timing kernels that update states in place ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Steps.h"
#include "Buffer.h"
#include "InPlaceRate.h"
#include "arrays/KernelArrays.h"
#include "data/Inputs.h"

#include <chrono>
#include <deque>
#include <unistd.h>

using namespace qdelta;
using namespace qdelta::tools;

namespace {
/// The sets of one state, one after the other.
struct StateSets {
  StateSets(std::vector<int64_t> shape, Format format, size_t number,
            int64_t bytes)
      : memory(std::move(shape), format, number), one(*memory.getTensor()),
        bytes(bytes) {
    ++one.shape;
    --one.ndim;
  }

  Buffer memory;
  DLTensor one;
  int64_t bytes;

  char *data() { return static_cast<char *>(memory.getTensor()->data); }
};
} // namespace

static double seconds() {
  auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

static int64_t countBytes(const std::vector<int64_t> &shape, Format format) {
  int64_t bytes = reference::formatBytes(format);
  for (int64_t size : shape)
    bytes *= size;
  return bytes;
}

/// Bytes of states that are far more than the caches hold.
static int64_t chooseFootprint() {
  constexpr int64_t least = int64_t(256) << 20, most = int64_t(1) << 30;
  int64_t cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
  return std::clamp(4 * cache, least, most);
}

llvm::Error qdelta::tools::timeSteps(const LoadedKernel &kernel,
                                     const Signature &signature,
                                     const Sizes &sizes, int32_t threads,
                                     int repeat, Measurement &result) {
  std::vector<std::optional<FloatTensor>> none(signature.inputs.size());
  auto inputs = makeInputs(signature, sizes, none, {});
  int64_t bytesOfSet = 0;
  for (const Argument &argument : signature.inputs)
    if (argument.role == QDELTA_ROLE_INITIAL_STATE)
      bytesOfSet += countBytes(shapeOf(argument, sizes), argument.format);
  int64_t sets =
      llvm::divideCeil(chooseFootprint(), std::max<int64_t>(bytesOfSet, 1));

  std::deque<Buffer> buffers;
  std::deque<StateSets> states;
  std::vector<DLTensor *> tensors;
  size_t number = 0;
  for (auto [argument, input] : llvm::zip(signature.inputs, inputs)) {
    std::vector<int64_t> shape = input.shape;
    if (argument.role != QDELTA_ROLE_INITIAL_STATE) {
      Buffer &buffer = buffers.emplace_back(shape, argument.format, number++);
      buffer.store(input.data);
      tensors.push_back(buffer.getTensor());
      continue;
    }
    shape.insert(shape.begin(), sets);
    StateSets &all =
        states.emplace_back(std::move(shape), argument.format, number++,
                            countBytes(input.shape, argument.format));
    for (int64_t set = 0; set < sets; ++set)
      storeElements(input.data, argument.format, all.data() + set * all.bytes);
    tensors.push_back(&all.one);
  }
  for (const Argument &argument : signature.outputs)
    if (argument.role == QDELTA_ROLE_OUTPUT)
      tensors.push_back(
          buffers
              .emplace_back(shapeOf(argument, sizes), argument.format, number++)
              .getTensor());

  int64_t next = 0;
  auto launch = [&]() -> llvm::Error {
    for (StateSets &all : states)
      all.one.data = all.data() + next * all.bytes;
    next = (next + 1) % sets;
    return kernel.launch(tensors, threads);
  };
  StateSets &largest = *llvm::max_element(
      states, [](auto &a, auto &b) { return a.bytes < b.bytes; });
  // A set that no launch has touched for long.
  auto measureLoop = [&] {
    int64_t set = (next + sets / 2) % sets;
    return measureInPlaceRate(largest.data() + set * largest.bytes,
                              largest.bytes, threads);
  };
  for (int64_t i = 0; i < sets; ++i)
    if (llvm::Error error = launch())
      return error;
  auto work =
      static_cast<double>(sizes.at("B") * sizes.at("T") * sizes.at("HV"));
  std::vector<double> times, ratios, loops, kernels;
  for (int i = 0; i < repeat; ++i) {
    // Medians of single launches: what else runs on the machine comes between
    // few of them.
    std::vector<double> launches, rates;
    for (int64_t set = 0; set < sets; ++set) {
      double start = seconds();
      if (llvm::Error error = launch())
        return error;
      launches.push_back(seconds() - start);
      rates.push_back(measureLoop());
    }
    double time = quantile(launches, 0.5), loop = quantile(rates, 0.5);
    double rate = static_cast<double>(bytesOfSet) / time;
    times.push_back(time / work * 1e9);
    loops.push_back(loop);
    kernels.push_back(rate);
    ratios.push_back(loop / rate);
  }
  result.nsMedian = quantile(times, 0.5);
  result.nsBest = quantile(times, 0);
  result.spread =
      (quantile(times, 0.75) - quantile(times, 0.25)) / result.nsMedian;
  result.floorRatio = quantile(ratios, 0.5);
  result.inPlace = Measurement::InPlace{
      quantile(kernels, 0.5), quantile(loops, 0.5), bytesOfSet * sets};
  return llvm::Error::success();
}
