//===- ArtefactFormat.h - what a .qda file holds ----------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// An artefact is a row of entries in LLVM's offload binary format, version 1
// (llvm/Object/OffloadBinary.h), one for each piece of code. The strings of an
// entry are its manifest; the image is the code.
//
//   triple, arch        what the code is for: x86-64-v4, sm_90a
//   qdelta              the version of what follows: "2"; "1" has no steps
//   producer            for people
//   number              "2/5": this is the second of five entries
//   checksum            "crc32 89abcdef", over the entry with ******** in the
//                       place of the digits
//   format              cpu, emulated (ELF shared objects), ptx or cubin
//   kernels             how many kernels the code has; 1 unless format is cpu
//   kernel0             a kernel's name
//   kernel0.entry       its symbol
//   kernel0.arguments   how many arguments it has
//   kernel0.argument0   "ROLE TYPE SIZES NAME": role token, param,
//                       initial_state, output, final_state, cu_seqlens,
//                       state, pool, state_index
//                       or position; type f64, f32, bf16, f16,
//                       i32 or i64; sizes as B,T,H,128 with B, T, H, HV, B+1,
//                       N, L, HV*L for those that a launch decides; the rest is
//                       the name
//   kernel0.values0     what values the argument is meant for, if something was
//                       said: "HEADS any", "HEADS unit", "HEADS log_decay" or
//                       "HEADS range LOW HIGH", where HEADS is H or HV, what a
//                       token usually has, or - for other arguments
//   kernel0.work        floating-point operations a token and head, if known
//   kernel0.segments    segments that sequences are split into, if they are
//   kernel0.run, kernel0.summary, kernel0.apply, kernel0.advance
//                       the kernels that this takes; the first unless it is
//                       this one, the last if there is one
//
// and for device code, as in qdelta/Runtime/DeviceKernel.h:
//
//   columns, threads, shared_bytes
//   tensor_maps         how many
//   tensor_map0         "ARGUMENT COLUMNS ROWS SWIZZLE"
//
// or in their place, if a launch is several kernels,
//
//   steps               how many
//   step0               "THREADS SHARED_BYTES BLOCKS TOKENS INPUTS ENTRY"
//   step0.tensors       the numbers of its tensors, with commas
//   step0.tensor_maps, step0.tensor_map0
//   workspaces          how many
//   workspace0          "TYPE SIZES"
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_RUNTIME_ARTEFACTFORMAT_H
#define QDELTA_RUNTIME_ARTEFACTFORMAT_H

#include <string_view>

namespace qdelta::runtime::artefact {

constexpr std::string_view kVersion = "2";
/// Read too; it lacks steps.
constexpr std::string_view kFirstVersion = "1";

/// The value of `checksum` while the sum is taken; digits replace the stars.
constexpr std::string_view kNoChecksum = "crc32 ********";
constexpr std::string_view kChecksumPrefix = "crc32 ";
constexpr size_t kChecksumDigits = 8;

/// In the order of qdeltaRole.
constexpr std::string_view kRoles[] = {
    "token",      "param", "initial_state", "output",      "final_state",
    "cu_seqlens", "state", "pool",          "state_index", "position"};

/// In the order of qdeltaDomain.
constexpr std::string_view kDomains[] = {"any", "unit", "log_decay", "range"};

/// Names of the sizes that a launch decides, QDELTA_DIM_BATCH (-1) first.
constexpr std::string_view kSizes[] = {"B",   "T", "HV", "H",
                                       "B+1", "N", "L",  "HV*L"};

/// More than any compiler makes; a reader refuses larger numbers.
constexpr int kMaxEntries = 4096, kMaxKernels = 4096, kMaxArguments = 256,
              kMaxTensorMaps = 32, kMaxSteps = 256, kMaxWorkspaces = 256,
              kMaxSegments = 4096;

} // namespace qdelta::runtime::artefact

#endif // QDELTA_RUNTIME_ARTEFACTFORMAT_H
