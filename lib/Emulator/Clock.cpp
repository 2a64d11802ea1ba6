//===- Clock.cpp - vector clocks that are shared while equal --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Clock.h"

#include <algorithm>

using namespace qdelta::emulator;

struct ClockVector::Body {
  ClockSpace *space;
  uint32_t references;
  uint32_t values[];
};

ClockVector::ClockVector(const ClockVector &other) : body(other.body) {
  if (body)
    ++body->references;
}

ClockVector::~ClockVector() {
  if (body && --body->references == 0)
    body->space->unused.push_back(body);
}

const uint32_t *ClockVector::data() const { return body->values; }

ClockSpace::ClockSpace(uint32_t agents) : agents(agents) {
  zeroVector = make(std::vector<uint32_t>(agents, 0));
}

// Vectors must be gone before the list that they return to.
ClockSpace::~ClockSpace() {
  memos = {};
  zeroVector = ClockVector();
}

ClockVector::Body *ClockSpace::allocate() {
  if (unused.empty()) {
    size_t words = sizeof(ClockVector::Body) / sizeof(uint32_t) + agents;
    // Bodies begin with a pointer; round up to keep arrays of words aligned.
    storage.push_back(std::make_unique<uint32_t[]>(words + 2));
    unused.push_back(
        reinterpret_cast<ClockVector::Body *>(storage.back().get()));
  }
  ClockVector::Body *body = unused.back();
  unused.pop_back();
  body->space = this;
  body->references = 1;
  return body;
}

ClockVector ClockSpace::make(const std::vector<uint32_t> &values) {
  ClockVector::Body *body = allocate();
  std::copy(values.begin(), values.end(), body->values);
  return ClockVector(body);
}

ClockVector ClockSpace::join(const ClockVector &a, const ClockVector &b) {
  if (a == b)
    return a;
  for (const Memo &memo : memos)
    if (memo.a == a && memo.b == b)
      return memo.result;
  ClockVector::Body *body = allocate();
  const uint32_t *x = a.data(), *y = b.data();
  uint32_t differsX = 0, differsY = 0;
  for (uint32_t i = 0; i < agents; ++i) {
    uint32_t larger = std::max(x[i], y[i]);
    differsX |= larger ^ x[i];
    differsY |= larger ^ y[i];
    body->values[i] = larger;
  }
  ClockVector result(body);
  if (!differsY)
    result = b;
  else if (!differsX)
    result = a;
  memos[nextMemo++ % memos.size()] = {a, b, result};
  return result;
}

ClockVector ClockSpace::meet(const ClockVector &a, const ClockVector &b) {
  if (a == b)
    return a;
  ClockVector::Body *body = allocate();
  for (uint32_t i = 0; i < agents; ++i)
    body->values[i] = std::min(a[i], b[i]);
  return ClockVector(body);
}

void Knowledge::join(const ClockVector &vector, const OwnAgents &ids,
                     ClockSpace &space) {
  for (uint32_t i = 0; i < kOwnAgents; ++i)
    own[i] = std::max(own[i], vector[ids[i]]);
  base = space.join(base, vector);
}

void KnowledgeSum::reset(ClockSpace &space) {
  values.assign(space.size(), 0);
  last = ClockVector();
}

void KnowledgeSum::add(const ClockVector &vector) {
  if (vector == last)
    return;
  last = vector;
  const uint32_t *other = last.data();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = std::max(values[i], other[i]);
}

void KnowledgeSum::add(const Knowledge &knowledge, const OwnAgents &ids) {
  add(knowledge.base);
  for (uint32_t i = 0; i < kOwnAgents; ++i)
    add(ids[i], knowledge.own[i]);
}

void KnowledgeSum::add(uint32_t agent, uint32_t clock) {
  values[agent] = std::max(values[agent], clock);
}
