//===- Calls.cpp - intrinsics and inline assembly become operations -------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "../Contract.h"
#include "InlineAsm.h"
#include "KernelRewriter.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace qdelta::emulator;
using namespace llvm;

/// The special register that `name` reads; `kNumRegisters` for none.
static uint32_t registerOf(StringRef name) {
  return StringSwitch<uint32_t>(name)
      .Case("tid.x", kTidX)
      .Case("tid.y", kTidY)
      .Case("tid.z", kTidZ)
      .Case("ntid.x", kNtidX)
      .Case("ntid.y", kNtidY)
      .Case("ntid.z", kNtidZ)
      .Cases({"ctaid.x", "clusterid.x"}, kCtaidX)
      .Cases({"ctaid.y", "clusterid.y"}, kCtaidY)
      .Cases({"ctaid.z", "clusterid.z"}, kCtaidZ)
      .Cases({"nctaid.x", "nclusterid.x"}, kNctaidX)
      .Cases({"nctaid.y", "nclusterid.y"}, kNctaidY)
      .Cases({"nctaid.z", "nclusterid.z"}, kNctaidZ)
      .Case("laneid", kLaneId)
      .Case("warpid", kWarpId)
      .Case("nwarpid", kNwarpId)
      .Case("warpsize", kWarpSize)
      .Case("lanemask.eq", kLanemaskEq)
      .Case("lanemask.le", kLanemaskLe)
      .Case("lanemask.lt", kLanemaskLt)
      .Case("lanemask.ge", kLanemaskGe)
      .Case("lanemask.gt", kLanemaskGt)
      .Case("dynamic_smem_size", kDynamicSmemSize)
      .Cases({"cluster.ctarank", "cluster.ctaid.x", "cluster.ctaid.y",
              "cluster.ctaid.z", "smid"},
             kZero)
      .Cases({"cluster.nctarank", "cluster.nctaid.x", "cluster.nctaid.y",
              "cluster.nctaid.z", "nsmid"},
             kOne)
      .Default(kNumRegisters);
}

/// LLVM's own functions that this machine would call a library for, as far as
/// NVPTX has them: the approximations that it selects.
static const char *approximationOf(Intrinsic::ID id) {
  switch (id) {
  case Intrinsic::exp2:
    return "ex2.approx.f32";
  case Intrinsic::log2:
    return "lg2.approx.f32";
  case Intrinsic::sin:
    return "sin.approx.f32";
  case Intrinsic::cos:
    return "cos.approx.f32";
  case Intrinsic::tanh:
    return "tanh.approx.f32";
  default:
    return nullptr;
  }
}

void KernelRewriter::rewriteCall(CallInst &call) {
  if (call.isInlineAsm())
    return rewriteAsm(call);
  Function *callee = call.getCalledFunction();
  if (!callee) {
    table.addError("indirect call at " + table.locationOf(call));
    return;
  }
  if (callee->isIntrinsic())
    return rewriteIntrinsic(call);
  if (callee->getName() == "__nvvm_reflect") {
    call.replaceAllUsesWith(ConstantInt::get(call.getType(), 0));
    call.eraseFromParent();
    return;
  }
  table.addError("call of '" + callee->getName().str() + "', which " +
                 (callee->isDeclaration() ? "is not there, at "
                                          : "cannot be inlined, at ") +
                 table.locationOf(call));
}

void KernelRewriter::rewriteIntrinsic(CallInst &call) {
  Intrinsic::ID id = call.getIntrinsicID();
  SmallVector<Value *> operands(call.args());
  if (id == Intrinsic::trap || id == Intrinsic::debugtrap)
    return replaceByOperation(call, "trap", {});
  if (const char *name = approximationOf(id)) {
    if (call.getType()->isFloatTy())
      return replaceByOperation(call, name, operands);
    table.addError("function of a type other than f32 at " +
                   table.locationOf(call));
    return;
  }
  // The name without what overloading adds.
  StringRef name = Intrinsic::getBaseName(id);
  if (!name.consume_front("llvm.nvvm."))
    return;
  StringRef special = name;
  if (special.consume_front("read.ptx.sreg."))
    if (uint32_t number = registerOf(special); number != kNumRegisters)
      return rewriteRegister(call, number);
  // The flag that says whether a load is for several blocks of a cluster.
  bool isTensorLoad = name.starts_with("cp.async.bulk.tensor.g2s.tile.");
  if (isTensorLoad || name == "cp.async.bulk.global.to.shared.cluster") {
    auto *flag = dyn_cast<ConstantInt>(
        call.getArgOperand(call.arg_size() - (isTensorLoad ? 3 : 2)));
    if (!flag || flag->isOne()) {
      table.addError("multicast copy at " + table.locationOf(call));
      return;
    }
  }
  replaceByOperation(call, name.str(), operands);
}

void KernelRewriter::rewriteRegister(CallInst &call, uint32_t number) {
  builder.SetInsertPoint(&call);
  LoadInst *load = builder.CreateLoad(
      builder.getInt32Ty(),
      contextField(offsetof(Context, registers) + number * sizeof(uint32_t)));
  load->setMetadata(LLVMContext::MD_invariant_load,
                    MDNode::get(kernel.getContext(), {}));
  call.replaceAllUsesWith(load);
  call.eraseFromParent();
}

void KernelRewriter::rewriteAsm(CallInst &call) {
  std::optional<AsmOperation> op = readInlineAsm(call);
  if (!op) {
    auto *callee = cast<InlineAsm>(call.getCalledOperand());
    table.addError("unknown inline assembly '" + callee->getAsmString().str() +
                   "' at " + table.locationOf(call));
    return;
  }
  builder.SetInsertPoint(&call);
  auto valueOf = [&](const AsmOperand &operand) -> Value * {
    return operand.argument < 0 ? builder.getInt64(operand.constant)
                                : call.getArgOperand(operand.argument);
  };
  SmallVector<Value *> operands;
  for (const AsmOperand &operand : op->operands)
    operands.push_back(valueOf(operand));
  if (!op->name.empty()) {
    if (op->predicate) {
      Value *predicate = builder.CreateTrunc(toWord(valueOf(*op->predicate)),
                                             builder.getInt1Ty());
      Instruction *then =
          SplitBlockAndInsertIfThen(predicate, &call, /*Unreachable=*/false);
      call.moveBefore(then->getIterator());
    }
    return replaceByOperation(call, op->name, operands);
  }
  // No text: each result is its tied input, and undefined without one.
  Value *result = nullptr;
  if (call.getType()->isStructTy()) {
    result = PoisonValue::get(call.getType());
    for (auto [i, operand] : enumerate(op->operands))
      if (operand.argument >= 0)
        result = builder.CreateInsertValue(result, operands[i], i);
  } else if (!op->operands.empty() && op->operands[0].argument >= 0) {
    result = operands[0];
  }
  if (result)
    call.replaceAllUsesWith(result);
  else if (!call.getType()->isVoidTy())
    call.replaceAllUsesWith(PoisonValue::get(call.getType()));
  call.eraseFromParent();
}
