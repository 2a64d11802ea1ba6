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
