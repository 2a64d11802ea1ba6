//===- Products.h - the state role's products, per kind of tensor core ----===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_CHUNKTOGPU_PRODUCTS_H
#define QDELTA_CONVERSION_CHUNKTOGPU_PRODUCTS_H

#include "Kernel.h"

#include <memory>

namespace qdelta::gpu {

/// The products of a chunk step on fragments. All operands with W columns are
/// transposed and held by warps of 16 value columns each: the state H is
/// [16 x K] a warp, a tile E is [16 x C]. The other operand is a tile in shared
/// memory. Element 4 j + 2 h + i of a fragment is row g + 8 h, column
/// 8 j + 2 q + i.
class Products {
public:
  /// The instructions that the kernel's target has.
  static std::unique_ptr<Products> create(Kernel &kernel);

  explicit Products(Kernel &kernel)
      : kernel(kernel), e(kernel.e), plan(kernel.plan) {}
  virtual ~Products() = default;

  /// A fragment as the first operand of a product.
  Fragment pack(llvm::ArrayRef<Num> values);

  /// H X^T for each tile X [C x K]: the reads of the state.
  virtual llvm::SmallVector<Fragment> read(llvm::ArrayRef<Num> state,
                                           llvm::ArrayRef<Num> tiles) = 0;

  /// sum += E M^T for a lower triangular matrix M [C x C]; `packed` is E.
  virtual void apply(Fragment &sum, llvm::ArrayRef<Num> packed, Num matrix) = 0;

  /// H += E A for a tile A [C x K]; `packed` is E.
  virtual void update(Fragment &state, llvm::ArrayRef<Num> packed,
                      Num tile) = 0;

  /// Makes values that a product may still be writing ready for other uses.
  /// The caller's copy is renamed; values of finished products stay finished.
  virtual void finish(Fragment &values) {}

protected:
  Kernel &kernel;
  Emitter &e;
  Plan &plan;
};

/// Products of four warps together, wgmma; for 16-bit formats.
std::unique_ptr<Products> createGroupProducts(Kernel &kernel);

} // namespace qdelta::gpu

#endif // QDELTA_CONVERSION_CHUNKTOGPU_PRODUCTS_H
