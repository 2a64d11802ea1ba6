//===- SequenceTypes.cpp - element types of a scan's sequences ------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "SequenceTypes.h"

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

bool qdelta::isNarrow(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isBF16() || element.isF16();
}

LogicalResult SequenceTypes::fail(const Twine &name, Type wanted, Type found,
                                  const Twine &why) {
  return op->emitOpError("expected ")
         << name << " to have elements of type " << wanted << why
         << ", but got " << found << " /*" << label << "*/";
}

LogicalResult SequenceTypes::addPlain(Type sequence, Type step,
                                      const Twine &name) {
  Type found = getElementTypeOrSelf(sequence);
  Type wanted = getElementTypeOrSelf(step);
  if (found == wanted)
    return success();
  return fail(name, wanted, found, "");
}

LogicalResult SequenceTypes::addVectors(Type sequence, Type step,
                                        const Twine &name) {
  Type found = getElementTypeOrSelf(sequence);
  Type wanted = getElementTypeOrSelf(step);
  if (!wanted.isF32())
    return addPlain(sequence, step, name);
  if (found != wanted && !isNarrow(found))
    return fail(name, wanted, found, ", or bf16 or f16");
  if (mayMix && found == wanted)
    return success();
  if (!vectors) {
    vectors = found;
    first = name.str();
  }
  if (vectors == found)
    return success();
  return fail(name, vectors, found, " as " + Twine(first) + " has");
}

LogicalResult qdelta::verifyInPlace(Operation *op, bool inPlace,
                                    Value cuSeqlens, Value stateIndex,
                                    RankedTensorType token, ValueRange inits,
                                    ValueRange finals, StringRef label) {
  if (cuSeqlens && (inPlace || stateIndex))
    return op->emitOpError("has cu_seqlens, so expected it to have neither "
                           "in_place nor a state_index: states in place are "
                           "of sequences of one length /*")
           << label << "*/";
  if (stateIndex && !inPlace)
    return op->emitOpError(
               "has a state_index, so expected it to be in_place /*")
           << label << "*/";
  if (!inPlace)
    return success();
  int64_t tokens = token.getRank() > 1 ? token.getDimSize(1) : 0;
  if (!ShapedType::isDynamic(tokens) && tokens > StepOp::kMostTokens)
    return op->emitOpError("expected at most ")
           << StepOp::kMostTokens << " tokens in place, but got " << tokens
           << " /*" << label << "*/";
  for (auto [init, final] : llvm::zip(inits, finals))
    if (init.getType() != final.getType())
      return op->emitOpError("expected final states in place to be of the "
                             "initial ones' types, but got ")
             << final.getType() << " for " << init.getType() << " /*" << label
             << "*/";
  return success();
}
