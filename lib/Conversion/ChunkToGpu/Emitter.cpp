//===- Emitter.cpp - one thread's instructions, written like arithmetic ---===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace qdelta::gpu;

//===-- Operators ---------------------------------------------------------===//

template <typename IntOp, typename FloatOp>
static Num binary(Num lhs, Num rhs) {
  Emitter &e = lhs.owner();
  if (isa<FloatType>(lhs.type()))
    return e.num(e.b.createOrFold<FloatOp>(lhs, rhs));
  return e.num(e.b.createOrFold<IntOp>(lhs, rhs));
}
template <typename IntOp>
static Num integer(Num lhs, Num rhs) {
  Emitter &e = lhs.owner();
  return e.num(e.b.createOrFold<IntOp>(lhs, rhs));
}
static Num like(Num sample, int64_t value) {
  Emitter &e = sample.owner();
  if (isa<FloatType>(sample.type()))
    return e.f32(static_cast<double>(value));
  return sample.type().isInteger(64) ? e.i64(value) : e.i32(value);
}
static Num compare(arith::CmpIPredicate predicate, Num lhs, Num rhs) {
  Emitter &e = lhs.owner();
  return e.num(e.b.createOrFold<arith::CmpIOp>(predicate, lhs, rhs));
}

namespace qdelta::gpu {
Num operator+(Num l, Num r) {
  return binary<arith::AddIOp, arith::AddFOp>(l, r);
}
Num operator-(Num l, Num r) {
  return binary<arith::SubIOp, arith::SubFOp>(l, r);
}
Num operator*(Num l, Num r) {
  return binary<arith::MulIOp, arith::MulFOp>(l, r);
}
Num operator/(Num l, Num r) {
  return binary<arith::DivUIOp, arith::DivFOp>(l, r);
}
Num operator%(Num l, Num r) { return integer<arith::RemUIOp>(l, r); }
Num operator&(Num l, Num r) { return integer<arith::AndIOp>(l, r); }
Num operator^(Num l, Num r) { return integer<arith::XOrIOp>(l, r); }
Num operator+(Num l, int64_t r) { return l + like(l, r); }
Num operator-(Num l, int64_t r) { return l - like(l, r); }
Num operator*(Num l, int64_t r) { return l * like(l, r); }
Num operator/(Num l, int64_t r) { return l / like(l, r); }
Num operator%(Num l, int64_t r) { return l % like(l, r); }
Num operator&(Num l, int64_t r) { return l & like(l, r); }
Num operator^(Num l, int64_t r) { return l ^ like(l, r); }
Num operator<<(Num l, int64_t r) {
  return integer<arith::ShLIOp>(l, like(l, r));
}
Num operator>>(Num l, int64_t r) {
  return integer<arith::ShRUIOp>(l, like(l, r));
}
Num operator<(Num l, Num r) { return compare(arith::CmpIPredicate::slt, l, r); }
Num operator<(Num l, int64_t r) { return l < like(l, r); }
Num operator<=(Num l, Num r) {
  return compare(arith::CmpIPredicate::sle, l, r);
}
Num operator>=(Num l, int64_t r) {
  return compare(arith::CmpIPredicate::sge, l, like(l, r));
}
Num equals(Num l, int64_t r) {
  return compare(arith::CmpIPredicate::eq, l, like(l, r));
}
} // namespace qdelta::gpu

//===-- Scalars -----------------------------------------------------------===//

Num Emitter::i32(int64_t value) {
  return num(arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(value))));
}
Num Emitter::i16(int64_t value) {
  return num(arith::ConstantOp::create(
      b, b.getI16IntegerAttr(static_cast<int16_t>(value))));
}
Num Emitter::i64(int64_t value) {
  return num(arith::ConstantOp::create(b, b.getI64IntegerAttr(value)));
}
Num Emitter::f32(double value) {
  return num(arith::ConstantOp::create(
      b, b.getF32FloatAttr(static_cast<float>(value))));
}
Num Emitter::truth(bool value) {
  return num(arith::ConstantOp::create(b, b.getBoolAttr(value)));
}
Num Emitter::select(Num condition, Num yes, Num no) {
  return num(b.createOrFold<arith::SelectOp>(condition, yes, no));
}
Num Emitter::both(Num lhs, Num rhs) {
  return num(b.createOrFold<arith::AndIOp>(lhs, rhs));
}
Num Emitter::fma(Num x, Num y, Num z) {
  return num(LLVM::FMAOp::create(b, f32Type(), x, y, z));
}
Num Emitter::maximum(Num lhs, Num rhs) {
  return num(b.createOrFold<arith::MaximumFOp>(lhs, rhs));
}
Num Emitter::minimum(Num lhs, Num rhs) {
  return num(b.createOrFold<arith::MinimumFOp>(lhs, rhs));
}
Num Emitter::widen(Num value) {
  return num(b.createOrFold<arith::ExtSIOp>(b.getI64Type(), value));
}
Num Emitter::narrow(Num value) {
  return num(b.createOrFold<arith::TruncIOp>(b.getI32Type(), value));
}
Num Emitter::narrowTo16(Num value) {
  return num(b.createOrFold<arith::TruncIOp>(b.getI16Type(), value));
}
Num Emitter::bitcast(Num value, Type type) {
  return num(LLVM::BitcastOp::create(b, type, value));
}
Num Emitter::exp2(Num x) {
  return intrinsic("llvm.nvvm.ex2.approx.ftz.f32", {x}, f32Type())[0];
}

//===-- Memory ------------------------------------------------------------===//

Value Emitter::at(Value pointer, Num byteOffset) {
  return LLVM::GEPOp::create(b, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{Value(byteOffset)});
}
Value Emitter::sharedPointer(Num address) {
  return LLVM::IntToPtrOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext(), 3), Value(address));
}
Num Emitter::load(Value pointer, Type type, int64_t align) {
  if (!align)
    align = type.getIntOrFloatBitWidth() / 8;
  return num(LLVM::LoadOp::create(b, type, pointer, align));
}
void Emitter::store(Value value, Value pointer, int64_t align) {
  if (!align)
    align = value.getType().getIntOrFloatBitWidth() / 8;
  LLVM::StoreOp::create(b, value, pointer, align);
}
Fragment Emitter::loadSharedMany(Num address, int64_t count) {
  auto type = VectorType::get(count, f32Type());
  Value all = LLVM::LoadOp::create(b, type, sharedPointer(address), 4 * count);
  Fragment parts;
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(num(LLVM::ExtractElementOp::create(b, all, i32(i))));
  return parts;
}
void Emitter::storeSharedPair(Num address, Num first, Num second) {
  auto type = VectorType::get(2, first.type());
  Value pair = LLVM::UndefOp::create(b, type);
  pair = LLVM::InsertElementOp::create(b, pair, first, i32(0));
  pair = LLVM::InsertElementOp::create(b, pair, second, i32(1));
  LLVM::StoreOp::create(b, pair, sharedPointer(address), 8);
}

void Emitter::storeIf(Num condition, ArrayRef<Num> values, Value pointer) {
  Fragment pinned(values);
  pin(pinned);
  when(condition, [&] {
    if (pinned.size() == 1)
      return store(pinned[0], pointer);
    auto count = static_cast<int64_t>(pinned.size());
    auto type = VectorType::get(count, pinned[0].type());
    Value all = LLVM::UndefOp::create(b, type);
    for (int64_t i = 0; i < count; ++i)
      all = LLVM::InsertElementOp::create(b, all, pinned[i], i32(i));
    LLVM::StoreOp::create(b, all, pointer,
                          count * type.getElementTypeBitWidth() / 8);
  });
}

//===-- Control flow ------------------------------------------------------===//

static SmallVector<Value> valuesOf(ArrayRef<Num> nums) {
  return SmallVector<Value>(nums.begin(), nums.end());
}

Fragment Emitter::loop(Num begin, Num end, int64_t step, ArrayRef<Num> inits,
                       Body body) {
  auto forOp =
      scf::ForOp::create(b, begin, end, like(begin, step), valuesOf(inits));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  Fragment args;
  for (Value arg : forOp.getRegionIterArgs())
    args.push_back(num(arg));
  Fragment next = body(num(forOp.getInductionVar()), args);
  if (!inits.empty() || forOp.getBody()->empty() ||
      !forOp.getBody()->mightHaveTerminator())
    scf::YieldOp::create(b, valuesOf(next));
  Fragment results;
  for (Value result : forOp.getResults())
    results.push_back(num(result));
  return results;
}

Fragment Emitter::branch(Num condition, llvm::function_ref<Fragment()> yes,
                         llvm::function_ref<Fragment()> no) {
  // The results' types are known only once a side has been written.
  Block *scratch = new Block;
  Fragment first;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(scratch);
    first = yes();
    scf::YieldOp::create(b, valuesOf(first));
  }
  SmallVector<Type> types;
  for (Num value : first)
    types.push_back(value.type());
  auto ifOp = scf::IfOp::create(b, types, condition, /*addThenBlock=*/false,
                                /*addElseBlock=*/false);
  ifOp.getThenRegion().push_back(scratch);
  if (no) {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&ifOp.getElseRegion());
    scf::YieldOp::create(b, valuesOf(no()));
  }
  Fragment results;
  for (Value result : ifOp.getResults())
    results.push_back(num(result));
  return results;
}

Fragment Emitter::branchOrZeros(Num condition,
                                llvm::function_ref<Fragment()> yes) {
  SmallVector<Type> types;
  auto keepTypes = [&] {
    Fragment made = yes();
    for (Num number : made)
      types.push_back(number.type());
    return made;
  };
  auto zeros = [&] {
    Fragment made;
    for (Type type : types)
      made.push_back(isa<FloatType>(type) ? f32(0) : i32(0));
    return made;
  };
  return branch(condition, keepTypes, zeros);
}

void Emitter::when(Num condition, llvm::function_ref<void()> body) {
  branch(
      condition,
      [&] {
        body();
        return Fragment();
      },
      nullptr);
}

//===-- Warps and barriers ------------------------------------------------===//

Num Emitter::special(StringRef name) {
  return intrinsic(("llvm.nvvm.read.ptx.sreg." + name).str(), {}, i32Type())[0];
}
Num Emitter::opaque(Num value) {
  return assembly("", "=r,0", {value}, value.type())[0];
}
void Emitter::pin(MutableArrayRef<Num> values) {
  if (values.empty())
    return;
  SmallVector<Type> types;
  std::string outputs, inputs;
  for (auto [i, value] : llvm::enumerate(values)) {
    Type type = value.type();
    types.push_back(type);
    outputs += type.isF32() ? "=f," : type.isInteger(16) ? "=h," : "=r,";
    inputs += std::to_string(i) + ",";
  }
  inputs.pop_back();
  llvm::copy(assembly("", outputs + inputs, valuesOf(values), types),
             values.begin());
}
Num Emitter::shuffleUp(Num value, int64_t by) {
  return intrinsic("llvm.nvvm.shfl.sync.up.f32",
                   {i32(-1), value, i32(by), i32(0)}, f32Type())[0];
}
Num Emitter::shuffleXor(Num value, int64_t mask) {
  return intrinsic("llvm.nvvm.shfl.sync.bfly.f32",
                   {i32(-1), value, i32(mask), i32(31)}, f32Type())[0];
}
Num Emitter::shuffleFrom(Num value, Num lane) {
  return intrinsic("llvm.nvvm.shfl.sync.idx.f32",
                   {i32(-1), value, lane, i32(31)}, f32Type())[0];
}
Num Emitter::anyOfWarp(Num condition) {
  return intrinsic("llvm.nvvm.vote.any.sync", {i32(-1), condition},
                   b.getI1Type())[0];
}
Num Emitter::elected() {
  return intrinsic("llvm.nvvm.elect.sync", {i32(-1)},
                   {i32Type(), b.getI1Type()})[1];
}
void Emitter::syncWarp() {
  intrinsic("llvm.nvvm.bar.warp.sync", {i32(-1)}, {});
}
void Emitter::syncGroup(int64_t id, int64_t threads) {
  intrinsic("llvm.nvvm.barrier.cta.sync.aligned.count", {i32(id), i32(threads)},
            {});
}
void Emitter::syncAll() {
  intrinsic("llvm.nvvm.barrier.cta.sync.aligned.all", {i32(0)}, {});
}

//===-- Tensor cores ------------------------------------------------------===//

Fragment Emitter::loadMatrices(Num address, bool transposed) {
  StringRef name = transposed
                       ? "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3"
                       : "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3";
  return intrinsic(name, {sharedPointer(address)},
                   SmallVector<Type>(4, i32Type()));
}
void Emitter::storeTransposed(Num address, ArrayRef<Num> matrices) {
  SmallVector<Value> operands{sharedPointer(address)};
  operands.append(matrices.begin(), matrices.end());
  intrinsic("llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.trans.b16.p3", operands,
            {});
}
Num Emitter::transposeMatrix(Num packed) {
  return assembly("movmatrix.sync.aligned.m8n8.trans.b16 $0, $1;", "=r,r",
                  {packed}, i32Type())[0];
}
Num Emitter::pack(Format format, Num low, Num high) {
  bool bf16 = format == Format::BF16;
  Type element = bf16 ? Type(b.getBF16Type()) : Type(b.getF16Type());
  Num pair =
      intrinsic(bf16 ? "llvm.nvvm.ff2bf16x2.rn" : "llvm.nvvm.ff2f16x2.rn",
                {high, low}, Type(VectorType::get(2, element)))[0];
  return bitcast(pair, i32Type());
}
static Num halfOf(Emitter &e, Num packed, int64_t index) {
  Num pair = e.bitcast(packed, VectorType::get(2, e.b.getF16Type()));
  Value half = LLVM::ExtractElementOp::create(e.b, pair, e.i32(index));
  return e.num(LLVM::FPExtOp::create(e.b, e.f32Type(), half));
}
Num Emitter::unpackLow(Format format, Num packed) {
  return format == Format::BF16 ? bitcast(packed << 16, f32Type())
                                : halfOf(*this, packed, 0);
}
Num Emitter::unpackHigh(Format format, Num packed) {
  return format == Format::BF16 ? bitcast(packed & -65536, f32Type())
                                : halfOf(*this, packed, 1);
}
void Emitter::product(Format format, MutableArrayRef<Num> d, ArrayRef<Num> a,
                      Num b0, Num b1) {
  SmallVector<Value> operands(a.begin(), a.end());
  operands.append({b0, b1});
  StringRef name;
  switch (format) {
  case Format::BF16:
    name = "llvm.nvvm.mma.m16n8k16.row.col.bf16";
    break;
  case Format::F16:
    name = "llvm.nvvm.mma.m16n8k16.row.col.f32.f32";
    for (Value &operand : operands)
      operand = bitcast(num(operand), VectorType::get(2, b.getF16Type()));
    break;
  case Format::TF32:
    name = "llvm.nvvm.mma.m16n8k8.row.col.tf32";
    break;
  }
  operands.append(d.begin(), d.end());
  Fragment result = intrinsic(name, operands, SmallVector<Type>(4, f32Type()));
  llvm::copy(result, d.begin());
}
Num Emitter::roundTf32(Num x) {
  return intrinsic("llvm.nvvm.f2tf32.rna", {x}, i32Type())[0];
}

//===-- Asynchronous copies -----------------------------------------------===//

void Emitter::copyAsync(Num sharedAddress, Value globalPointer, int64_t bytes,
                        Num present) {
  std::string name = ("llvm.nvvm.cp.async." + Twine(bytes == 16 ? "cg" : "ca") +
                      ".shared.global." + Twine(bytes) + ".s")
                         .str();
  intrinsic(name,
            {sharedPointer(sharedAddress), globalPointer,
             select(present, i32(bytes), i32(0))},
            {});
}
void Emitter::commitCopies() {
  intrinsic("llvm.nvvm.cp.async.commit.group", {}, {});
}
void Emitter::waitForCopies(int64_t pending) {
  intrinsic("llvm.nvvm.cp.async.wait.group", {i32(pending)}, {});
}

//===-- Calls -------------------------------------------------------------===//

Fragment Emitter::apart(Value aggregate, size_t count) {
  if (count == 1)
    return {num(aggregate)};
  Fragment parts;
  for (size_t i = 0; i < count; ++i)
    parts.push_back(num(LLVM::ExtractValueOp::create(b, aggregate, i)));
  return parts;
}

static Type resultType(Emitter &e, ArrayRef<Type> results) {
  if (results.size() == 1)
    return results[0];
  return LLVM::LLVMStructType::getLiteral(e.b.getContext(), results);
}

Fragment Emitter::assembly(StringRef text, StringRef constraints,
                           ArrayRef<Value> operands, ArrayRef<Type> results) {
  Type type = results.empty() ? Type() : resultType(*this, results);
  auto call = LLVM::InlineAsmOp::create(
      b, type ? TypeRange(type) : TypeRange(), operands, text, constraints,
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::tailcallkind::TailCallKind::None,
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT),
      ArrayAttr());
  return results.empty() ? Fragment() : apart(call.getRes(), results.size());
}

Fragment Emitter::intrinsic(StringRef name, ArrayRef<Value> operands,
                            ArrayRef<Type> results) {
  auto attr = b.getStringAttr(name);
  if (results.empty()) {
    LLVM::CallIntrinsicOp::create(b, attr, operands);
    return {};
  }
  auto call = LLVM::CallIntrinsicOp::create(b, resultType(*this, results), attr,
                                            operands);
  return apart(call.getResults(), results.size());
}
