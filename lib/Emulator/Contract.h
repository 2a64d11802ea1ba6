//===- Contract.h - between prepared code and the emulator ------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Prepared code refers to no symbol: it reaches the emulator through the
// context that it is called with, and names its operations by their place in a
// table that the emulator fills from the description. What stands here is
// compiled into artefacts; a change of it changes `kContractVersion`.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_CONTRACT_H
#define QDELTA_EMULATOR_CONTRACT_H

#include <cstddef>
#include <cstdint>

namespace qdelta::emulator {

constexpr uint32_t kContractVersion = 1;

struct Context;
struct Operation;

/// Executes an operation. Every argument and result is widened to 64 bits; both
/// arrays have room for at least `kMinSlots` values.
using Handler = void (*)(Context *, const Operation *, uint64_t *arguments,
                         uint64_t *results);

constexpr uint32_t kMinSlots = 8;
/// The most arguments: 128 accumulators, four A registers, a descriptor and
/// scale-d of a wgmma.
constexpr uint32_t kMaxSlots = 144;

/// An entry of the table of operations, as prepared code reads it.
struct Binding {
  Handler handler;
  const Operation *operation;
};

/// Shared memory is at these addresses in every kernel, which no process maps.
/// The low 18 bits count from the start, so the matrix descriptors of wgmma and
/// 32-bit shared pointers decode as on a GPU.
constexpr uint64_t kSharedBase = 0x40000;
constexpr uint64_t kSharedWindow = 0x40000;

/// How memory is accessed. Atomics are loads and stores in one.
enum AccessFlags : uint32_t {
  kLoad = 1,
  kStore = 2,
  kAtomic = 4,
  kAcquire = 8,
  kRelease = 16
};

/// An access in one word: bytes (at most 65535), alignment that the IR claims,
/// flags.
constexpr uint64_t packAccess(uint64_t bytes, uint64_t alignment,
                              uint64_t flags) {
  return bytes | alignment << 16 | flags << 48;
}
constexpr uint32_t accessBytes(uint64_t access) { return access & 0xffff; }
constexpr uint32_t accessAlignment(uint64_t access) {
  return access >> 16 & 0xffffffff;
}
constexpr uint32_t accessFlags(uint64_t access) { return access >> 48; }

/// Checks an access and gives the address in this process to make it at: a
/// scratch area when it would be out of bounds.
using AccessFunction = void *(*)(Context *, uint64_t address, uint64_t access,
                                 uint32_t operation);

/// By address space.
struct Entries {
  AccessFunction shared;
  AccessFunction global;
  AccessFunction generic;
};

/// Special registers, all 32 bits wide.
enum Register : uint32_t {
  kTidX,
  kTidY,
  kTidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kLaneId,
  kWarpId,
  kNwarpId,
  kWarpSize,
  kLanemaskEq,
  kLanemaskLe,
  kLanemaskLt,
  kLanemaskGe,
  kLanemaskGt,
  kDynamicSmemSize,
  kZero,
  kOne,
  kNumRegisters
};

/// What prepared code sees of a GPU thread.
struct Context {
  const Entries *entries;
  const Binding *bindings;
  uint32_t registers[kNumRegisters];
};

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_CONTRACT_H
