//===- Kernel.cpp - what every role of a kernel knows ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

Kernel::Kernel(Emitter &e, Plan &plan, ValueRange arguments, Num shared)
    : e(e), plan(plan), shared(shared), params(arguments[0]),
      maps(arguments.drop_front()) {
  numArguments = plan.func.getNumArguments() + plan.func.getNumResults();
}

RankedTensorType Kernel::typeOf(unsigned argument) const {
  return cast<RankedTensorType>(
      argument < inputs() ? plan.func.getArgumentTypes()[argument]
                          : plan.func.getResultTypes()[argument - inputs()]);
}

Lane Kernel::lane(bool gramRole) {
  Num thread = this->thread();
  Lane x;
  x.lane = thread & 31;
  x.warp = thread >> 5;
  if (gramRole)
    x.warp = x.warp - plan.stateWarps;
  x.group = x.lane >> 2;
  x.quad = x.lane & 3;
  x.row = x.lane & 7;
  x.matrix = x.lane >> 3;
  return x;
}

Num Kernel::word(int64_t index) {
  return e.load(e.at(params, e.i64(8 * index)), e.b.getI64Type());
}

bool Kernel::isState(unsigned argument) const {
  return argument == initialState() || argument + 1 == numArguments;
}

Num Kernel::bound(Num sequence) {
  unsigned argument = plan.cuSeqlens.getArgNumber();
  Num address =
      word(5 * argument) + e.widen(sequence) * bytesOfArgument(argument);
  Value pointer = LLVM::IntToPtrOp::create(
      e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1), Value(address));
  Num value = e.load(pointer, typeOf(argument).getElementType());
  return bytesOfArgument(argument) == 4 ? value : e.narrow(value);
}

/// A state's head follows its batch entry; a sequence's comes after the token.
Num Kernel::start(unsigned argument, Num batch, Num head, Num firstToken) {
  int64_t first = 5 * argument;
  bool isParameter = typeOf(argument).getRank() == 1;
  bool isPacked = firstToken && !isParameter && !isState(argument);
  auto before = [&] {
    return isPacked ? e.widen(firstToken) * word(first + 2)
                    : e.widen(batch) * word(first + 1);
  };
  Num offset = isParameter
                   ? e.widen(head) * word(first + 1)
                   : before() + e.widen(head) *
                                    word(first + (isState(argument) ? 2 : 3));
  return word(first) + offset * bytesOfArgument(argument);
}

void Kernel::prepare() {
  e.when(equals(e.special("tid.x"), 0), [&] {
    Num item = e.special("ctaid.x") / blocks();
    Num valueHeads = e.narrow(word(numArguments * 5 + 1));
    Num batch = item / valueHeads, head = item % valueHeads;
    for (int64_t i = 0; plan.byTensorMaps && i < Plan::kStages; ++i)
      e.intrinsic("llvm.nvvm.mbarrier.init.shared",
                  {e.sharedPointer(arrival(e.i32(i))), e.i32(1)}, {});
    if (plan.byTensorMaps)
      e.intrinsic("llvm.nvvm.fence.mbarrier_init.release.cluster", {}, {});
    Num firstToken;
    if (plan.cuSeqlens) {
      firstToken = bound(batch);
      e.store(bound(batch + 1) - firstToken,
              e.sharedPointer(placeAddress(numArguments + 1)));
      e.store(firstToken, e.sharedPointer(placeAddress(numArguments + 2)));
    }
    for (unsigned i = 0; i < numArguments; ++i) {
      if (plan.cuSeqlens && i == plan.cuSeqlens.getArgNumber())
        continue;
      Num own = head / (valueHeads / e.narrow(word(5 * i + 4)));
      e.store(start(i, batch, own, firstToken),
              e.sharedPointer(shared + (plan.startsAt + 8 * int64_t(i))));
      e.store(own, e.sharedPointer(placeAddress(i)));
    }
    // Packed sequences are one batch entry.
    e.store(firstToken ? e.i32(0) : batch,
            e.sharedPointer(placeAddress(numArguments)));
  });
  e.syncAll();
}

void Kernel::endChunk(bool gramRole) {
  if (!plan.byTensorMaps)
    e.waitForCopies(0);
  // wgmma and the tensor memory accelerator see shared memory on their own:
  // what they are to read needs a fence of those who wrote it.
  if (plan.byGroups && (gramRole || !plan.byTensorMaps))
    e.intrinsic("llvm.nvvm.fence.proxy.async.shared_cta", {}, {});
  e.syncAll();
}

Num Kernel::column() {
  return (e.special("ctaid.x") % blocks()) * plan.columns;
}

Value Kernel::base(unsigned argument) {
  Num start =
      e.load(e.sharedPointer(shared + (plan.startsAt + 8 * int64_t(argument))),
             e.b.getI64Type());
  return LLVM::IntToPtrOp::create(
      e.b, LLVM::LLVMPointerType::get(e.b.getContext(), 1), Value(start));
}

Num Kernel::rowStride(unsigned argument) {
  return word(5 * argument + (isState(argument) ? 3 : 2)) *
         bytesOfArgument(argument);
}

Num Kernel::tileAddress(Num base, int64_t rows, Num row, Num piece) {
  return base + (piece >> 3) * (rows * 128) + row * 128 +
         (((piece & 7) ^ (row & 7)) << 4);
}

Num Kernel::tileAddress(Num base, int64_t rows, Num row, Num rowInEight,
                        Num bit, int64_t constant) {
  Num permuted = (bit ^ rowInEight) << 4;
  return base + row * 128 + (permuted ^ ((constant & 7) << 4)) +
         (constant >> 3) * rows * 128;
}

Num Kernel::elementAddress(Num base, int64_t rows, Num row, Num column) {
  return tileAddress(base, rows, row, column >> 2) + ((column & 3) << 2);
}
