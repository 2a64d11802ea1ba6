//===- Buffer.h - a tensor on huge pages -----------------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TOOLS_BENCH_BUFFER_H
#define QDELTA_TOOLS_BENCH_BUFFER_H

#include "data/Elements.h"
#include "qdelta-c/dlpack.h"

#include <memory>
#include <vector>

namespace qdelta::tools {

/// A tensor on huge pages of its own, so that misses of the TLB are not timed.
/// Its elements start as NaN.
class Buffer {
public:
  /// `number` staggers buffers, which would else share their low address bits
  /// and with them the sets of a cache. Throws std::bad_alloc.
  Buffer(std::vector<int64_t> shape, Format format, size_t number);
  Buffer(const Buffer &) = delete;

  void store(llvm::ArrayRef<double> numbers);
  bool isFinite() const;
  /// Valid while the buffer lives.
  DLTensor *getTensor() { return &tensor; }

private:
  struct Free {
    void operator()(void *memory) const;
  };
  std::unique_ptr<void, Free> memory;
  std::vector<int64_t> shape;
  Format format;
  size_t count = 1;
  void *data;
  DLTensor tensor;
};

} // namespace qdelta::tools

#endif // QDELTA_TOOLS_BENCH_BUFFER_H
