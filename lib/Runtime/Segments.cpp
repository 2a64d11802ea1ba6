//===- Segments.cpp - launches that split their sequences -----------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// A sequence is segments 0 to n - 1. At once: the kernel itself on segment 0,
// and summaries (P, Q) of segments 1 to n - 2. Then P S + Q, from segment to
// segment, is the state that each begins with. At last, at once again: the
// kernel on segments 1 to n - 1. Work items are batch entries and heads of a
// segment (docs/Decisions/0023).
//
//===----------------------------------------------------------------------===//

#include "Segments.h"
#include "Descriptor.h"

#include <algorithm>
#include <new>

using namespace qdelta::runtime;

namespace {
/// Memory for states between kernels.
class Workspaces {
public:
  Workspaces() = default;
  Workspaces(const Workspaces &) = delete;
  ~Workspaces() {
    for (char *block : blocks)
      ::operator delete(block, alignment);
  }

  char *allocate(size_t bytes) {
    blocks.reserve(blocks.size() + 1);
    auto block = static_cast<char *>(::operator new(bytes, alignment));
    blocks.push_back(block);
    return block;
  }

private:
  static constexpr std::align_val_t alignment{64};
  std::vector<char *> blocks;
};

/// One kernel on one segment.
struct Call {
  const qdeltaKernel *kernel;
  std::vector<Descriptor> tensors;
};

class SegmentedLaunch {
public:
  SegmentedLaunch(const qdeltaKernel &kernel,
                  const std::vector<TensorView> &views, int64_t items,
                  const std::vector<int64_t> &starts, int32_t threads);

  void run();

private:
  /// The states of a kernel: in order, as initial or final ones.
  using States = std::vector<Descriptor>;

  int64_t count() const { return static_cast<int64_t>(starts.size()) - 1; }
  Descriptor newState(const qdeltaArgument &argument);
  Descriptor shared(int64_t rows, int64_t columns, bool identity);
  Descriptor rowsOf(const Descriptor &matrix) const;
  States newStates();
  Call callOn(const qdeltaKernel &callee, int64_t segment, const States &from,
              const States &to) const;
  void advanceStates();
  void startAndSummarise();
  void applySummaries();
  void finish();
  void runAll(const std::vector<Call> &calls) const;

  const qdeltaKernel &kernel;
  const std::vector<TensorView> &views;
  const int64_t items;
  const std::vector<int64_t> &starts;
  const int32_t threads;
  Workspaces memory;
  std::vector<const qdeltaArgument *> arguments;
  /// Which state of the kernel is the matrix.
  size_t matrix = 0;
  int64_t sizes[4] = {};
  /// The states that each segment begins with, and its summary.
  std::vector<States> begins;
  std::vector<Descriptor> transitions, offsets;
};
} // namespace

std::vector<const qdeltaArgument *>
qdelta::runtime::argumentsOf(const qdeltaKernel &kernel, qdeltaRole role) {
  std::vector<const qdeltaArgument *> found;
  for (const qdeltaArgument &argument : kernel.arguments)
    if (argument.role == role)
      found.push_back(&argument);
  return found;
}

std::vector<int64_t> qdelta::runtime::segmentStarts(const qdeltaKernel &kernel,
                                                    int64_t tokens) {
  std::vector<int64_t> starts;
  if (kernel.segments < 2)
    return starts;
  // The first segment's outputs take as long as another's summary.
  __extension__ using Wide = __int128;
  bool isKnown = kernel.work > 0 && kernel.summary->work > 0;
  Wide first = isKnown ? kernel.summary->work : 1;
  Wide other = isKnown ? kernel.work : 1;
  Wide all = first + (kernel.segments - 1) * other;
  for (int64_t i = 0; i <= kernel.segments; ++i) {
    Wide before = i ? first + (i - 1) * other : 0;
    auto start = static_cast<int64_t>(before * tokens / all);
    if (i && start == starts.back())
      return {};
    starts.push_back(start);
  }
  return starts;
}

SegmentedLaunch::SegmentedLaunch(const qdeltaKernel &kernel,
                                 const std::vector<TensorView> &views,
                                 int64_t items,
                                 const std::vector<int64_t> &starts,
                                 int32_t threads)
    : kernel(kernel), views(views), items(items), starts(starts),
      threads(threads),
      arguments(argumentsOf(kernel, QDELTA_ROLE_INITIAL_STATE)) {
  while (arguments[matrix]->rank != 4)
    ++matrix;
  for (const TensorView &view : views)
    if (view.argument == arguments[matrix])
      std::copy_n(view.sizes, 4, sizes);
}

/// A state of B batch entries and HV heads.
Descriptor SegmentedLaunch::newState(const qdeltaArgument &argument) {
  int64_t shape[4] = {sizes[0], sizes[1], argument.shape[2], argument.shape[3]};
  int64_t strides[4], elements = 1;
  for (int32_t d = argument.rank; d-- > 0;) {
    strides[d] = elements;
    elements *= shape[d];
  }
  char *data =
      memory.allocate(static_cast<size_t>(elements * argument.dtype.bits / 8));
  return describeTensor(data, argument.rank, shape, strides);
}

SegmentedLaunch::States SegmentedLaunch::newStates() {
  States states;
  for (const qdeltaArgument *argument : arguments)
    states.push_back(newState(*argument));
  return states;
}

/// The identity or zeros for all batch entries and heads.
Descriptor SegmentedLaunch::shared(int64_t rows, int64_t columns,
                                   bool identity) {
  bool isDouble = arguments[matrix]->dtype.bits == 64;
  auto elements = static_cast<size_t>(rows * columns);
  char *data = memory.allocate(elements * (isDouble ? 8 : 4));
  auto fill = [&](auto *numbers, auto one) {
    std::fill_n(numbers, elements, one - one);
    for (int64_t i = 0; identity && i < rows; ++i)
      numbers[i * columns + i] = one;
  };
  if (isDouble)
    fill(reinterpret_cast<double *>(data), 1.0);
  else
    fill(reinterpret_cast<float *>(data), 1.0f);
  int64_t shape[4] = {sizes[0], sizes[1], rows, columns};
  int64_t strides[4] = {0, 0, columns, 1};
  return describeTensor(data, 4, shape, strides);
}

/// A matrix [B, HV, K, D] as a sequence of rows [B, K, HV, D].
Descriptor SegmentedLaunch::rowsOf(const Descriptor &matrix) const {
  Descriptor rows = matrix;
  std::swap(rows.sizesAndStrides[1], rows.sizesAndStrides[2]);
  std::swap(rows.sizesAndStrides[5], rows.sizesAndStrides[6]);
  return rows;
}

/// A kernel that takes the launch's inputs and has its outputs, if any.
Call SegmentedLaunch::callOn(const qdeltaKernel &callee, int64_t segment,
                             const States &from, const States &to) const {
  Call call{&callee, {}};
  auto init = from.begin(), final = to.begin();
  for (const qdeltaArgument &argument : callee.arguments) {
    if (argument.role == QDELTA_ROLE_INITIAL_STATE) {
      call.tensors.push_back(*init++);
      continue;
    }
    if (argument.role == QDELTA_ROLE_FINAL_STATE) {
      call.tensors.push_back(*final++);
      continue;
    }
    const TensorView &view =
        *std::find_if(views.begin(), views.end(), [&](const TensorView &own) {
          return own.argument->role == argument.role &&
                 std::string(own.argument->name) == argument.name;
        });
    TensorView part = view;
    if (isSequence(argument)) {
      size_t at = static_cast<size_t>(segment);
      part.data += starts[at] * view.strides[1] * view.elementBytes();
      part.sizes[1] = starts[at + 1] - starts[at];
    }
    call.tensors.push_back(describeTensor(part));
  }
  return call;
}

/// Calls are independent of one another.
void SegmentedLaunch::runAll(const std::vector<Call> &calls) const {
  std::vector<std::vector<void *>> pointers;
  for (const Call &call : calls) {
    pointers.emplace_back();
    for (const Descriptor &tensor : call.tensors)
      pointers.back().push_back(const_cast<Descriptor *>(&tensor));
  }
  int64_t all = items * static_cast<int64_t>(calls.size());
  auto shares = static_cast<int32_t>(std::min<int64_t>(threads, all));
  kernel.module->pool.run(all, shares, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      auto number = static_cast<size_t>(begin / items);
      int64_t first = begin % items;
      int64_t last = std::min(items, first + end - begin);
      calls[number].kernel->entry(pointers[number].data(), first, last);
      begin += last - first;
    }
  });
}

/// Vector and scalar states at the start of every segment.
void SegmentedLaunch::advanceStates() {
  auto without = [&](const States &states) {
    States vectors = states;
    vectors.erase(vectors.begin() + static_cast<std::ptrdiff_t>(matrix));
    return vectors;
  };
  begins.emplace_back();
  for (const TensorView &view : views)
    if (view.argument->role == QDELTA_ROLE_INITIAL_STATE)
      begins[0].push_back(describeTensor(view));
  for (int64_t segment = 0; segment + 1 < count(); ++segment) {
    begins.push_back(newStates());
    const States &from = begins[static_cast<size_t>(segment)];
    if (kernel.advance && arguments.size() > 1)
      runAll({callOn(*kernel.advance, segment, without(from),
                     without(begins.back()))});
  }
}

void SegmentedLaunch::startAndSummarise() {
  int64_t keys = sizes[2], values = sizes[3];
  Descriptor identity = shared(keys, keys, true);
  Descriptor zeros = shared(keys, values, false);
  States ends = newStates();
  ends[matrix] = begins[1][matrix];
  std::vector<Call> calls{callOn(*kernel.run, 0, begins[0], ends)};
  qdeltaArgument square = *arguments[matrix];
  square.shape[3] = square.shape[2];
  for (int64_t segment = 1; segment + 1 < count(); ++segment) {
    transitions.push_back(newState(square));
    offsets.push_back(newState(*arguments[matrix]));
    States from = begins[static_cast<size_t>(segment)], to = newStates();
    auto place = static_cast<std::ptrdiff_t>(matrix);
    from[matrix] = zeros, to[matrix] = offsets.back();
    from.insert(from.begin() + place, identity);
    to.insert(to.begin() + place, transitions.back());
    calls.push_back(callOn(*kernel.summary, segment, from, to));
  }
  runAll(calls);
}

/// The state that each segment begins with, one after the other.
void SegmentedLaunch::applySummaries() {
  for (size_t i = 0; i < transitions.size(); ++i) {
    const Descriptor &state = begins[i + 1][matrix];
    Descriptor unused = newState(*arguments[matrix]);
    runAll({{kernel.apply,
             {rowsOf(transitions[i]), rowsOf(offsets[i]), state,
              rowsOf(begins[i + 2][matrix]), unused}}});
  }
}

void SegmentedLaunch::finish() {
  States ends;
  for (const TensorView &view : views)
    if (view.argument->role == QDELTA_ROLE_FINAL_STATE)
      ends.push_back(describeTensor(view));
  std::vector<Call> calls;
  for (int64_t segment = 1; segment < count(); ++segment)
    calls.push_back(callOn(*kernel.run, segment,
                           begins[static_cast<size_t>(segment)],
                           segment + 1 == count() ? ends : newStates()));
  runAll(calls);
}

void SegmentedLaunch::run() {
  advanceStates();
  startAndSummarise();
  applySummaries();
  finish();
}

void qdelta::runtime::runSegments(const qdeltaKernel &kernel,
                                  const std::vector<TensorView> &views,
                                  int64_t items,
                                  const std::vector<int64_t> &starts,
                                  int32_t threads) {
  SegmentedLaunch(kernel, views, items, starts, threads).run();
}
