//===- ExpandBfloat.cpp - conversions of bf16 and f16 as integers --------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "qdelta/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qdelta {
#define GEN_PASS_DEF_EXPANDBFLOAT
#include "qdelta/Conversion/Passes.h.inc"
} // namespace qdelta

using namespace mlir;

namespace {

/// Arithmetic on the bits of floats, scalars or vectors of one shape.
struct Bits {
  OpBuilder &b;
  Location loc;
  /// Of the converted value.
  Type like;

  Type typed(Type element) {
    auto vector = dyn_cast<VectorType>(like);
    return vector ? Type(vector.clone(element)) : element;
  }
  Value constant(Type element, TypedAttr value) {
    Type type = typed(element);
    if (auto vector = dyn_cast<VectorType>(type))
      value = DenseElementsAttr::get(vector, ArrayRef<Attribute>{value});
    return arith::ConstantOp::create(b, loc, type, value);
  }
  Value integer(int64_t value) {
    return constant(b.getI32Type(),
                    b.getI32IntegerAttr(static_cast<int32_t>(value)));
  }
  Value real(float value) {
    return constant(b.getF32Type(), b.getF32FloatAttr(value));
  }
  Value cast(Value x, Type element) {
    return arith::BitcastOp::create(b, loc, typed(element), x);
  }
  Value both(Value x, int64_t mask) {
    return arith::AndIOp::create(b, loc, x, integer(mask));
  }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value up(Value x, int64_t by) {
    return arith::ShLIOp::create(b, loc, x, integer(by));
  }
  Value down(Value x, int64_t by) {
    return arith::ShRUIOp::create(b, loc, x, integer(by));
  }
  Value choose(arith::CmpIPredicate predicate, Value x, int64_t limit,
               Value then, Value otherwise) {
    Value test = arith::CmpIOp::create(b, loc, predicate, x, integer(limit));
    return arith::SelectOp::create(b, loc, test, then, otherwise);
  }
};

/// A float with half's exponent is 2^-112 of it; infinities and NaN keep their
/// mantissa.
struct WidenHalf : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &b) const override {
    if (!getElementTypeOrSelf(op.getIn()).isF16() ||
        !getElementTypeOrSelf(op.getType()).isF32())
      return b.notifyMatchFailure(op, "does not convert f16 to f32");
    Bits m{b, op.getLoc(), op.getType()};
    Type i32 = b.getI32Type(), f32 = b.getF32Type();
    Value half = arith::ExtUIOp::create(b, op.getLoc(), m.typed(i32),
                                        m.cast(op.getIn(), b.getI16Type()));
    Value sign = m.up(m.both(half, 0x8000), 16);
    Value rest = m.up(m.both(half, 0x7fff), 13);
    Value scaled =
        m.cast(arith::MulFOp::create(b, op.getLoc(), m.cast(rest, f32),
                                     m.real(0x1p112f)),
               i32);
    Value special = m.either(rest, m.integer(0x7f800000));
    Value magnitude = m.choose(arith::CmpIPredicate::uge, rest, 0x7c00 << 13,
                               special, scaled);
    b.replaceOp(op, m.cast(m.either(sign, magnitude), f32));
    return success();
  }
};

/// To nearest, ties to even: a carry out of the mantissa is the next power of
/// two. Below 2^-14 numbers are multiples of 2^-24, as floats from 1/2 to 1
/// are.
struct RoundHalf : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &b) const override {
    if (!getElementTypeOrSelf(op.getIn()).isF32() ||
        !getElementTypeOrSelf(op.getType()).isF16())
      return b.notifyMatchFailure(op, "does not convert f32 to f16");
    Bits m{b, op.getLoc(), op.getType()};
    Type i32 = b.getI32Type(), f32 = b.getF32Type();
    Value bits = m.cast(op.getIn(), i32), rest = m.both(bits, 0x7fffffff);
    Value even = m.both(m.down(rest, 13), 1);
    Value normal =
        m.down(m.add(m.add(rest, m.integer(0xfff - 0x38000000)), even), 13);
    normal = m.choose(arith::CmpIPredicate::ugt, normal, 0x7c00,
                      m.integer(0x7c00), normal);
    Value shifted = m.cast(
        arith::AddFOp::create(b, op.getLoc(), m.cast(rest, f32), m.real(0.5f)),
        i32);
    Value small = m.add(shifted, m.integer(-0x3f000000));
    Value finite =
        m.choose(arith::CmpIPredicate::ult, rest, 0x38800000, small, normal);
    Value infinite = m.choose(arith::CmpIPredicate::ugt, rest, 0x7f800000,
                              m.integer(0x7e00), m.integer(0x7c00));
    Value magnitude =
        m.choose(arith::CmpIPredicate::uge, rest, 0x7f800000, infinite, finite);
    Value half = m.either(m.both(m.down(bits, 16), 0x8000), magnitude);
    half =
        arith::TruncIOp::create(b, op.getLoc(), m.typed(b.getI16Type()), half);
    b.replaceOp(op, m.cast(half, b.getF16Type()));
    return success();
  }
};

struct ExpandBfloatPass : qdelta::impl::ExpandBfloatBase<ExpandBfloatPass> {
  using ExpandBfloatBase::ExpandBfloatBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    if (half)
      patterns.add<WidenHalf, RoundHalf>(&getContext());
    FrozenRewritePatternSet frozen(std::move(patterns));
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> conversions;
      func.walk([&](Operation *op) {
        if (isa<arith::ExtFOp, arith::TruncFOp>(op))
          conversions.push_back(op);
      });
      if (failed(applyOpPatternsGreedily(conversions, frozen)))
        return signalPassFailure();
    }
  }
};
} // namespace
