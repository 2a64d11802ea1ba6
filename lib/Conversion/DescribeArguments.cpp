//===- DescribeArguments.cpp - an entry function's buffers, for a launch --===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DescribeArguments.h"

#include "qdelta-c/Runtime.h"

using namespace mlir;
using namespace qdelta;

ArrayAttr qdelta::describeArguments(TypeRange types, RecurrenceOp recurrence) {
  Builder b(recurrence.getContext());
  SmallVector<Attribute> all;
  auto add = [&](const Twine &name, qdeltaRole role,
                 ArrayRef<int64_t> leading) {
    auto type = cast<RankedTensorType>(types[all.size()]);
    // A size that the function fixes is what the launch must have.
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, symbol] : llvm::zip(shape, leading))
      if (ShapedType::isDynamic(size))
        size = symbol;
    all.push_back(b.getDictionaryAttr(
        {b.getNamedAttr("dtype", TypeAttr::get(type.getElementType())),
         b.getNamedAttr("name", b.getStringAttr(name)),
         b.getNamedAttr("role", b.getI64IntegerAttr(role)),
         b.getNamedAttr("shape", b.getDenseI64ArrayAttr(shape))}));
  };
  auto nameOf = [&](BlockArgument arg) {
    return recurrence.getArgName(arg.getArgNumber());
  };
  int64_t batch = QDELTA_DIM_BATCH, time = QDELTA_DIM_TIME;
  int64_t heads = QDELTA_DIM_HEADS, valueHeads = QDELTA_DIM_VALUE_HEADS;
  for (BlockArgument arg : recurrence.getTokens())
    add(nameOf(arg), QDELTA_ROLE_TOKEN, {batch, time, heads});
  for (BlockArgument arg : recurrence.getParams())
    add(nameOf(arg), QDELTA_ROLE_PARAM, {valueHeads});
  for (BlockArgument arg : recurrence.getStates())
    add(nameOf(arg), QDELTA_ROLE_INITIAL_STATE, {batch, valueHeads});
  size_t outputs = recurrence.getYield().getOutputs().size();
  for (size_t i = 0; i < outputs; ++i)
    add(i == 0 ? Twine("o") : "o" + Twine(i), QDELTA_ROLE_OUTPUT,
        {batch, time, valueHeads});
  for (BlockArgument arg : recurrence.getStates())
    add(nameOf(arg) + Twine("_final"), QDELTA_ROLE_FINAL_STATE,
        {batch, valueHeads});
  return b.getArrayAttr(all);
}
