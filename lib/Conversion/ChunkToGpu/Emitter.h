//===- Emitter.h - one thread's instructions, written like arithmetic -----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_EMITTER_H
#define QDELTA_CONVERSION_CHUNKTOGPU_EMITTER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace qdelta::gpu {

class Emitter;

/// A scalar of one thread with operators; i1, i32, i64 or f32.
class Num {
public:
  Num() = default;
  Num(Emitter &emitter, mlir::Value value) : emitter(&emitter), value(value) {}

  operator mlir::Value() const { return value; }
  mlir::Type type() const { return value.getType(); }
  explicit operator bool() const { return bool(value); }
  Emitter &owner() const { return *emitter; }

private:
  Emitter *emitter = nullptr;
  mlir::Value value;
};

// Both sides of one type; integers are unsigned where that matters.
Num operator+(Num lhs, Num rhs);
Num operator-(Num lhs, Num rhs);
Num operator*(Num lhs, Num rhs);
Num operator/(Num lhs, Num rhs);
Num operator%(Num lhs, Num rhs);
Num operator&(Num lhs, Num rhs);
Num operator^(Num lhs, Num rhs);
Num operator+(Num lhs, int64_t rhs);
Num operator-(Num lhs, int64_t rhs);
Num operator*(Num lhs, int64_t rhs);
Num operator/(Num lhs, int64_t rhs);
Num operator%(Num lhs, int64_t rhs);
Num operator&(Num lhs, int64_t rhs);
Num operator^(Num lhs, int64_t rhs);
Num operator<<(Num lhs, int64_t rhs);
Num operator>>(Num lhs, int64_t rhs);
/// Signed comparisons.
Num operator<(Num lhs, Num rhs);
Num operator<(Num lhs, int64_t rhs);
Num operator<=(Num lhs, Num rhs);
Num operator>=(Num lhs, int64_t rhs);
Num equals(Num lhs, int64_t rhs);

/// The registers of a fragment: this thread's part of a tile.
using Fragment = llvm::SmallVector<Num>;

/// Number formats of the operands of tensor-core products.
enum class Format { BF16, F16, TF32 };

/// Bytes of an element that is stored as an operand.
inline int64_t bytesOf(Format format) { return format == Format::TF32 ? 4 : 2; }

/// Writes one thread's program in arith, scf and the LLVM dialect with NVPTX
/// intrinsics. Addresses in shared memory are i32.
class Emitter {
public:
  Emitter(mlir::Location loc, mlir::MLIRContext *context) : b(loc, context) {}

  mlir::ImplicitLocOpBuilder b;

  Num num(mlir::Value value) { return Num(*this, value); }
  Num i32(int64_t value);
  Num i16(int64_t value);
  Num i64(int64_t value);
  Num f32(double value);
  Num truth(bool value);

  Num select(Num condition, Num yes, Num no);
  Num both(Num lhs, Num rhs);
  Num fma(Num x, Num y, Num z);
  /// The greater or lesser of two, NaN if either is.
  Num maximum(Num lhs, Num rhs);
  Num minimum(Num lhs, Num rhs);
  Num widen(Num value);  ///< i32 to i64, sign kept
  Num narrow(Num value); ///< i64 to i32
  Num narrowTo16(Num value);
  Num bitcast(Num value, mlir::Type type);
  Num exp2(Num x);

  // Memory.
  mlir::Value at(mlir::Value pointer, Num byteOffset);
  mlir::Value sharedPointer(Num address);
  Num load(mlir::Value pointer, mlir::Type type, int64_t align = 0);
  void store(mlir::Value value, mlir::Value pointer, int64_t align = 0);
  Num loadShared(Num address) {
    return load(sharedPointer(address), f32Type());
  }
  void storeShared(Num value, Num address) {
    store(value, sharedPointer(address));
  }
  /// `count` adjacent f32 (2 or 4), aligned to their size.
  Fragment loadSharedMany(Num address, int64_t count);
  void storeSharedPair(Num address, Num first, Num second);
  /// Adjacent numbers to memory if `condition` holds: a branch that has nothing
  /// but the store in it, whose operands are made before.
  void storeIf(Num condition, llvm::ArrayRef<Num> values, mlir::Value pointer);

  // Control flow. Bodies return what the region yields.
  using Body = llvm::function_ref<Fragment(Num, llvm::ArrayRef<Num>)>;
  Fragment loop(Num begin, Num end, int64_t step, llvm::ArrayRef<Num> inits,
                Body body);
  Fragment branch(Num condition, llvm::function_ref<Fragment()> yes,
                  llvm::function_ref<Fragment()> no);
  /// What `yes` makes if `condition` holds, else zeros.
  Fragment branchOrZeros(Num condition, llvm::function_ref<Fragment()> yes);
  void when(Num condition, llvm::function_ref<void()> body);

  // Warps and barriers.
  Num special(llvm::StringRef name);
  /// A copy of `value` that the optimizer cannot see through: keeps lane
  /// arithmetic from being hoisted out of the chunk loop, where it would only
  /// be spilled.
  Num opaque(Num value);
  /// The same for several values: they are made before what comes next.
  void pin(llvm::MutableArrayRef<Num> values);
  Num shuffleUp(Num value, int64_t by);
  /// Of the lane whose number differs in the bits of `mask`.
  Num shuffleXor(Num value, int64_t mask);
  Num shuffleFrom(Num value, Num lane);
  Num shuffleFrom(Num value, int64_t lane) {
    return shuffleFrom(value, i32(lane));
  }
  /// Whether `condition` holds in a thread of the warp.
  Num anyOfWarp(Num condition);
  /// Whether this thread is the one of its warp that is chosen to act.
  Num elected();
  void syncWarp();
  void syncGroup(int64_t id, int64_t threads);
  void syncAll();

  // Tensor cores.
  /// Four 8 x 8 matrices of 16-bit elements.
  Fragment loadMatrices(Num address, bool transposed);
  /// Stores four such matrices, transposed; sm_90 and later.
  void storeTransposed(Num address, llvm::ArrayRef<Num> matrices);
  /// The transpose of an 8 x 8 matrix of 16-bit elements held two a register.
  Num transposeMatrix(Num packed);
  /// Two numbers as 16-bit elements in one register, the first in the low half.
  Num pack(Format format, Num low, Num high);
  Num unpackLow(Format format, Num packed);
  Num unpackHigh(Format format, Num packed);
  /// D[16 x 8] += A B, in place: k is 16 for 16-bit formats, 8 for TF32.
  void product(Format format, llvm::MutableArrayRef<Num> d,
               llvm::ArrayRef<Num> a, Num b0, Num b1);
  /// x rounded to TF32, as the register holding it.
  Num roundTf32(Num x);

  // Asynchronous copies.
  /// `bytes` (4, 8 or 16) from global to shared memory; with `present` false,
  /// zeros.
  void copyAsync(Num sharedAddress, mlir::Value globalPointer, int64_t bytes,
                 Num present);
  void commitCopies();
  void waitForCopies(int64_t pending);

  /// Inline PTX; several results come apart.
  Fragment assembly(llvm::StringRef text, llvm::StringRef constraints,
                    llvm::ArrayRef<mlir::Value> operands,
                    llvm::ArrayRef<mlir::Type> results);
  /// A call of an LLVM intrinsic; a struct result comes apart.
  Fragment intrinsic(llvm::StringRef name, llvm::ArrayRef<mlir::Value> operands,
                     llvm::ArrayRef<mlir::Type> results);

  mlir::Type i32Type() { return b.getI32Type(); }
  mlir::Type f32Type() { return b.getF32Type(); }

private:
  Fragment apart(mlir::Value aggregate, size_t count);
};

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_EMITTER_H
