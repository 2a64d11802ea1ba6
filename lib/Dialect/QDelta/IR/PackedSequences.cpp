//===- PackedSequences.cpp - shapes that go with cu_seqlens ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "PackedSequences.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace qdelta;

static LogicalResult verifySize(Operation *op, Value value, StringRef what,
                                int64_t wanted, const Twine &why,
                                StringRef label) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() > 0 && type.getDimSize(0) == wanted)
    return success();
  return op->emitOpError("expected ")
         << what << " to begin with " << wanted << why << ", but got " << type
         << " /*" << label << "*/";
}

LogicalResult qdelta::verifyPacked(Operation *op, Value cuSeqlens,
                                   ArrayRef<Value> sequences,
                                   ArrayRef<Value> states, StringRef label) {
  if (!cuSeqlens)
    return success();
  for (Value sequence : sequences)
    if (failed(verifySize(op, sequence, "sequences", 1,
                          ", which cu_seqlens packs into one", label)))
      return failure();
  auto type = cast<RankedTensorType>(cuSeqlens.getType());
  if (type.getDimSize(0) == 0)
    return op->emitOpError("expected cu_seqlens to begin with 0 and end with "
                           "T, but got ")
           << type << " /*" << label << "*/";
  for (Value state : states) {
    int64_t found = cast<RankedTensorType>(state.getType()).getDimSize(0);
    if (type.isDynamicDim(0) || ShapedType::isDynamic(found))
      continue;
    if (failed(verifySize(op, state, "states", type.getDimSize(0) - 1,
                          ", one for each sequence of cu_seqlens", label)))
      return failure();
  }
  return success();
}
