//===- Buffer.cpp - a tensor on huge pages -------------------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Buffer.h"
#include "data/Engines.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

using namespace qdelta;
using namespace qdelta::tools;

static constexpr size_t hugePage = 2 << 20;
/// Spreads 16 buffers evenly over the low bits of an address.
static constexpr size_t stagger = 256;

void Buffer::Free::operator()(void *memory) const { std::free(memory); }

Buffer::Buffer(std::vector<int64_t> theShape, Format format, size_t number)
    : shape(std::move(theShape)), format(format) {
  for (int64_t size : shape)
    count *= static_cast<size_t>(size);
  size_t offset = number % 16 * stagger;
  size_t bytes = llvm::alignTo(
      count * static_cast<size_t>(reference::formatBytes(format)) + offset,
      hugePage);
  memory.reset(std::aligned_alloc(hugePage, std::max(bytes, hugePage)));
  if (!memory)
    throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  madvise(memory.get(), bytes, MADV_HUGEPAGE);
#endif
  data = static_cast<char *>(memory.get()) + offset;
  // Not all at once: numbers in between are doubles.
  std::vector<double> piece(std::min<size_t>(count, 1 << 16), NAN);
  auto width = static_cast<size_t>(reference::formatBytes(format));
  for (size_t first = 0; first < count; first += piece.size())
    storeElements(std::span(piece).first(std::min(piece.size(), count - first)),
                  format, static_cast<char *>(data) + first * width);
  tensor = asDLTensor(shape, data, format);
}

void Buffer::store(std::span<const double> numbers) {
  storeElements(numbers, format, data);
}

bool Buffer::isFinite() const {
  std::vector<double> numbers(count);
  loadElements(data, format, numbers);
  return std::ranges::all_of(numbers,
                             [](double x) { return std::isfinite(x); });
}
