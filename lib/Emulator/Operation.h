//===- Operation.h - an operation of a prepared program ---------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//
//
// Operations are named as LLVM's NVPTX intrinsics are, without "llvm.nvvm."
// and without overload suffixes; what only exists as inline assembly has a name
// of the same style. Each family binds its own names.
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_EMULATOR_OPERATION_H
#define QDELTA_EMULATOR_OPERATION_H

#include "Contract.h"

#include <string>
#include <string_view>
#include <vector>

namespace qdelta::emulator {

/// Element types of matrix operands.
enum class MatrixType : uint8_t { F16, BF16, TF32 };

/// The shape of a wgmma.mma_async; m is 64 and k 32 bytes.
struct WgmmaShape {
  uint32_t n = 0;
  MatrixType type = MatrixType::F16;
  bool registersA = false;
  bool transposeA = false, transposeB = false;
  bool negateA = false, negateB = false;
};

/// A call site. The fields after the arity are the family's own.
struct Operation {
  std::string name;
  std::string location;
  uint32_t index = 0;
  uint32_t numArguments = 0, numResults = 0;

  Handler handler = nullptr;
  int32_t variant = 0;
  int32_t size = 0;
  bool flag = false;
  WgmmaShape wgmma;
};

/// Tries one family's names: sets the handler and the family's fields, or
/// returns false. A name of the family in an unknown form is not bound either.
bool bindAccess(Operation &op);
bool bindBlockBarrier(Operation &op);
bool bindBulk(Operation &op);
bool bindCopyAsync(Operation &op);
bool bindControl(Operation &op);
bool bindMatrixAccess(Operation &op);
bool bindMbarrier(Operation &op);
bool bindMma(Operation &op);
bool bindScalar(Operation &op);
bool bindWarp(Operation &op);
bool bindWgmma(Operation &op);

/// Finds the family of `op.name`; false when the emulator does not know it.
bool bind(Operation &op);

/// The parts of a name between dots.
class NameParts {
public:
  explicit NameParts(std::string_view name);

  size_t size() const { return parts.size(); }
  std::string_view operator[](size_t i) const {
    return i < parts.size() ? parts[i] : std::string_view();
  }
  bool has(std::string_view part) const;
  /// Whether every part from `first` on is one of `allowed`.
  bool restIn(size_t first,
              std::initializer_list<std::string_view> allowed) const;

private:
  std::vector<std::string_view> parts;
};

/// The decimal number that `text` is; -1 when it is none.
int32_t parseNumber(std::string_view text);

} // namespace qdelta::emulator

#endif // QDELTA_EMULATOR_OPERATION_H
