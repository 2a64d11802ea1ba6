//===- HostFloats.cpp - conversions without a library ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "HostFloats.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;

/// Rounds to nearest even; NaN becomes the quiet one that PTX gives.
static Value *roundToBFloat(IRBuilder<> &builder, Value *value) {
  Type *type = value->getType();
  Type *words = nullptr;
  if (auto *vector = dyn_cast<FixedVectorType>(type))
    words =
        FixedVectorType::get(builder.getInt32Ty(), vector->getNumElements());
  else
    words = builder.getInt32Ty();
  auto constant = [&](uint64_t c) { return ConstantInt::get(words, c); };
  Value *bits = builder.CreateBitCast(value, words);
  Value *odd =
      builder.CreateAnd(builder.CreateLShr(bits, constant(16)), constant(1));
  Value *rounded =
      builder.CreateAdd(bits, builder.CreateAdd(odd, constant(0x7fff)));
  Value *upper = builder.CreateLShr(rounded, constant(16));
  Value *result = builder.CreateSelect(builder.CreateFCmpUNO(value, value),
                                       constant(0x7fff), upper);
  Type *halves = words->getWithNewBitWidth(16);
  return builder.CreateTrunc(result, halves);
}

void qdelta::emulator::expandHostFloats(Function &function) {
  for (Instruction &instruction :
       make_early_inc_range(instructions(function))) {
    auto *trunc = dyn_cast<FPTruncInst>(&instruction);
    if (!trunc || !trunc->getType()->getScalarType()->isBFloatTy() ||
        !trunc->getSrcTy()->getScalarType()->isFloatTy())
      continue;
    IRBuilder<> builder(trunc);
    Value *bits = roundToBFloat(builder, trunc->getOperand(0));
    trunc->replaceAllUsesWith(builder.CreateBitCast(bits, trunc->getType()));
    trunc->eraseFromParent();
  }
}
