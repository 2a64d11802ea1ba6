//===- WgmmaOperand.cpp - the matrices that wgmma multiplies --------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Layouts are those of "matrix descriptors" in the PTX manual. In units of 16
// bytes, with S the bytes of a swizzled row:
//
//   along k,  swizzled:  row r at (r / 8) stride + (r % 8) S, k within the row
//   along k,  plain:     row r at (r / 8) stride + (r % 8) 16, the next 16
//                        bytes of k at `leading`
//   along mn, swizzled:  row k at (k / 8) stride + (k % 8) S, the next S bytes
//                        of mn at `leading`
//   along mn, plain:     row k at (k / 8) leading + (k % 8) 16, the next 16
//                        bytes of mn at `stride`
//
// and then the swizzle of the address.
//
//===----------------------------------------------------------------------===//

#include "WgmmaOperand.h"

#include <cmath>
#include <cstring>

using namespace qdelta::emulator;

WgmmaDescriptor::WgmmaDescriptor(uint64_t bits)
    : start((bits & 0x3fff) << 4), leading((bits >> 16 & 0x3fff) << 4),
      stride((bits >> 32 & 0x3fff) << 4), baseOffset(bits >> 49 & 7) {
  constexpr Swizzle modes[] = {Swizzle::None, Swizzle::B128, Swizzle::B64,
                               Swizzle::B32};
  swizzle = modes[bits >> 62];
}

uint32_t WgmmaDescriptor::unitOffset(uint32_t mn, uint32_t k,
                                     uint32_t elementBytes, bool transposed,
                                     uint32_t &byte) const {
  uint32_t row = transposed ? k : mn;
  uint32_t along = (transposed ? mn : k) * elementBytes;
  byte = along % 16;
  along -= byte;
  uint32_t offset;
  if (swizzle == Swizzle::None) {
    uint32_t nextRows = transposed ? leading : stride;
    uint32_t nextUnit = transposed ? stride : leading;
    offset = row / 8 * nextRows + row % 8 * 16 + along / 16 * nextUnit;
  } else {
    uint32_t span = 16u << static_cast<uint32_t>(swizzle);
    offset = row / 8 * stride + row % 8 * span;
    offset += transposed ? along / span * leading + along % span : along;
  }
  return swizzled(start + offset, swizzle) & (kSharedWindow - 1);
}

void WgmmaReader::read(uint64_t bits, uint32_t extent, bool transposed,
                       float *to, uint32_t mnStep, uint32_t kStep) {
  WgmmaDescriptor descriptor(bits);
  if (descriptor.baseOffset)
    block.report(ReportKind::WgmmaDescriptor, thread, op,
                 "has a base offset, which is not modelled");
  MatrixType type = op.wgmma.type;
  uint32_t bytes = type == MatrixType::TF32 ? 4 : 2;
  uint32_t depth = 32 / bytes, perUnit = 16 / bytes;
  uint32_t mnUnit = transposed ? perUnit : 1, kUnit = transposed ? 1 : perUnit;
  for (uint32_t mn = 0; mn < extent; mn += mnUnit) {
    for (uint32_t k = 0; k < depth; k += kUnit) {
      uint32_t byte;
      uint32_t offset = descriptor.unitOffset(mn, k, bytes, transposed, byte);
      const uint8_t *unit = block.shared(thread, op, offset, 16);
      if (unit)
        units[numUnits++] = offset;
      for (uint32_t e = 0; e < perUnit; ++e) {
        float value = std::nanf("");
        if (unit && bytes == 4) {
          uint32_t word;
          std::memcpy(&word, unit + 4 * e, 4);
          value = readTF32(word);
        } else if (unit) {
          uint16_t word;
          std::memcpy(&word, unit + 2 * e, 2);
          value = type == MatrixType::BF16 ? fromBF16(word) : fromF16(word);
        }
        uint32_t toMn = mn + (transposed ? e : 0);
        uint32_t toK = k + (transposed ? 0 : e);
        to[toMn * mnStep + toK * kStep] = value;
      }
    }
  }
}

void WgmmaReader::readA(uint64_t descriptor, float *a) {
  uint32_t depth = op.wgmma.type == MatrixType::TF32 ? 8 : 16;
  read(descriptor, 64, op.wgmma.transposeA, a, depth, 1);
}

void WgmmaReader::readB(uint64_t descriptor, float *b) {
  read(descriptor, op.wgmma.n, op.wgmma.transposeB, b, 1, op.wgmma.n);
}

void WgmmaReader::checkReads(const Accessor &accessor) {
  for (uint32_t i = 0; i < numUnits; ++i)
    block.shadow.read(accessor, units[i], 16);
}

void qdelta::emulator::readRegistersA(const Warpgroup &group, MatrixType type,
                                      uint32_t first, float *a) {
  uint32_t depth = type == MatrixType::TF32 ? 8 : 16;
  for (const Thread *thread : group.members) {
    uint32_t g = 16 * (thread->index / 32 % 4) + thread->lane / 4;
    uint32_t q = thread->lane % 4;
    for (uint32_t i = 0; i < 4; ++i) {
      uint64_t bits = thread->arguments[first + i];
      uint32_t row = g + 8 * (i & 1);
      if (type == MatrixType::TF32) {
        a[row * depth + q + 4 * (i >> 1)] = readTF32(bits);
        continue;
      }
      for (uint32_t h = 0; h < 2; ++h) {
        uint16_t word = bits >> (16 * h);
        a[row * depth + 2 * q + h + 8 * (i >> 1)] =
            type == MatrixType::BF16 ? fromBF16(word) : fromF16(word);
      }
    }
  }
}
