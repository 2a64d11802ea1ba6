//===- Clock.h - vector clocks that are shared while equal ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// After a barrier all threads know the same, so their clocks are one vector
// with a few entries of their own each. A barrier then costs a pointer
// comparison a thread, not a vector.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_CLOCK_H
#define QDELTA_EMULATOR_CLOCK_H

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace qdelta::emulator {

class ClockSpace;

/// A counted reference to an immutable vector of clocks, one for each agent.
class ClockVector {
public:
  ClockVector() = default;
  ClockVector(const ClockVector &other);
  ClockVector(ClockVector &&other) : body(std::exchange(other.body, nullptr)) {}
  ClockVector &operator=(ClockVector other) {
    std::swap(body, other.body);
    return *this;
  }
  ~ClockVector();

  const uint32_t *data() const;
  uint32_t operator[](uint32_t agent) const { return data()[agent]; }
  /// Identity, not content.
  bool operator==(const ClockVector &other) const { return body == other.body; }
  explicit operator bool() const { return body != nullptr; }

private:
  friend class ClockSpace;
  struct Body;
  explicit ClockVector(Body *body) : body(body) {}
  Body *body = nullptr;
};

/// Makes the vectors of one block.
class ClockSpace {
public:
  explicit ClockSpace(uint32_t agents);
  ClockSpace(const ClockSpace &) = delete;
  ~ClockSpace();

  uint32_t size() const { return agents; }
  ClockVector zero() const { return zeroVector; }
  ClockVector make(const std::vector<uint32_t> &values);
  /// The pointwise maximum: one of the two where it can be. Remembers the last
  /// few answers, for the many threads that ask the same.
  ClockVector join(const ClockVector &a, const ClockVector &b);
  /// The pointwise minimum.
  ClockVector meet(const ClockVector &a, const ClockVector &b);

private:
  friend class ClockVector;
  ClockVector::Body *allocate();

  struct Memo {
    ClockVector a, b, result;
  };

  uint32_t agents;
  std::vector<std::unique_ptr<uint32_t[]>> storage;
  std::vector<ClockVector::Body *> unused;
  ClockVector zeroVector;
  std::array<Memo, 4> memos;
  uint32_t nextMemo = 0;
};

/// The agents of a thread: itself, and what completes in the order it is issued
/// by the thread: its cp.async, its bulk stores, the wgmma of its warpgroup.
enum OwnAgent : uint32_t {
  kOwnThread,
  kOwnCopies,
  kOwnStores,
  kOwnWgmma,
  kOwnAgents
};
using OwnAgents = std::array<uint32_t, kOwnAgents>;

/// What a thread knows: a shared vector, overruled for its own agents.
struct Knowledge {
  ClockVector base;
  std::array<uint32_t, kOwnAgents> own{};

  uint32_t of(uint32_t agent, const OwnAgents &ids) const {
    for (uint32_t i = 0; i < kOwnAgents; ++i)
      if (agent == ids[i])
        return own[i];
    return base[agent];
  }
  /// Adds what `vector` knows.
  void join(const ClockVector &vector, const OwnAgents &ids, ClockSpace &space);
};

/// Gathers what arriving threads know.
class KnowledgeSum {
public:
  void reset(ClockSpace &space);
  void add(const Knowledge &knowledge, const OwnAgents &ids);
  void add(const ClockVector &vector);
  void add(uint32_t agent, uint32_t clock);
  ClockVector freeze(ClockSpace &space) const { return space.make(values); }

private:
  std::vector<uint32_t> values;
  /// The base that was added last, which need not be added again.
  ClockVector last;
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_CLOCK_H
