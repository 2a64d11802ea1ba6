//===- Kernel.cpp - what every role of a kernel knows ---------------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;
using namespace qdelta::gpu;

Kernel::Kernel(Emitter &e, const Plan &plan, Value params, Num shared)
    : e(e), plan(plan), shared(shared), params(params) {
  numArguments = plan.func.getNumArguments() + plan.func.getNumResults();
  item = e.widen(e.special("ctaid.x"));
}

Type Kernel::elementType(unsigned argument) const {
  unsigned inputs = plan.func.getNumArguments();
  return getElementTypeOrSelf(
      argument < inputs ? plan.func.getArgumentTypes()[argument]
                        : plan.func.getResultTypes()[argument - inputs]);
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

Value Kernel::base(unsigned argument) {
  auto type = cast<RankedTensorType>(
      argument < inputs() ? plan.func.getArgumentTypes()[argument]
                          : plan.func.getResultTypes()[argument - inputs()]);
  int64_t rank = type.getRank(), first = 5 * argument;
  // A state's head follows its batch entry; a sequence's comes after the token.
  bool isState = rank == 4 && (argument + 1 == inputs() ||
                               argument + 1 == numArguments);
  Num ratio = valueHeads() / word(first + 4);
  Num head = this->head() / ratio, offset;
  if (rank == 1)
    offset = head * word(first + 1);
  else
    offset = batch() * word(first + 1) +
             head * word(first + (isState ? 2 : 3));
  offset = offset * bytesOfArgument(argument);
  Value pointer = LLVM::IntToPtrOp::create(
      e.b, LLVM::LLVMPointerType::get(e.b.getContext()), word(first));
  return e.at(pointer, offset);
}

Num Kernel::rowStride(unsigned argument) {
  bool isState = argument + 1 == inputs() ||
                 argument + 1 == static_cast<unsigned>(numArguments);
  return word(5 * argument + (isState ? 3 : 2)) * bytesOfArgument(argument);
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
