//===- DescribeArguments.cpp - an entry function's buffers, for a launch --===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#include "DescribeArguments.h"

#include "qdelta-c/Runtime.h"
#include "qdelta/Dialect/QDelta/IR/TokenHeads.h"

using namespace mlir;
using namespace qdelta;

/// Whether a buffer holds a state index or cu_seqlens, not an output.
static bool isOfIntegers(Type type) {
  return isa<IntegerType>(cast<RankedTensorType>(type).getElementType());
}

ArrayAttr qdelta::describeArguments(TypeRange types, RecurrenceOp recurrence,
                                    bool inPlace) {
  Builder b(recurrence.getContext());
  SmallVector<Attribute> all;
  auto add = [&](const Twine &name, qdeltaRole role, ArrayRef<int64_t> leading,
                 DictionaryAttr domain = {}, int64_t usualHeads = 0) {
    auto type = cast<RankedTensorType>(types[all.size()]);
    // A size that the function fixes is what the launch must have.
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, symbol] : llvm::zip(shape, leading))
      if (ShapedType::isDynamic(size))
        size = symbol;
    NamedAttrList attributes;
    attributes.append("dtype", TypeAttr::get(type.getElementType()));
    attributes.append("name", b.getStringAttr(name));
    attributes.append("role", b.getI64IntegerAttr(role));
    attributes.append("shape", b.getDenseI64ArrayAttr(shape));
    if (domain && !domain.empty())
      attributes.append("domain", domain);
    if (usualHeads)
      attributes.append("usual_heads", b.getI64IntegerAttr(usualHeads));
    all.push_back(attributes.getDictionary(b.getContext()));
  };
  auto domainOf = [&](BlockArgument arg) {
    return cast<DictionaryAttr>(recurrence.getArgAttrs()[arg.getArgNumber()]);
  };
  auto dims = inferTokenDims(recurrence.getBody().front());
  auto nameOf = [&](BlockArgument arg) {
    return recurrence.getArgName(arg.getArgNumber());
  };
  int64_t batch = QDELTA_DIM_BATCH, time = QDELTA_DIM_TIME;
  int64_t heads = QDELTA_DIM_HEADS, valueHeads = QDELTA_DIM_VALUE_HEADS;
  for (BlockArgument arg : recurrence.getTokens())
    if (arg == recurrence.getLevels())
      add(nameOf(arg), QDELTA_ROLE_TOKEN,
          {batch, time, valueHeads, QDELTA_DIM_LEVELS}, domainOf(arg));
    else
      add(nameOf(arg), QDELTA_ROLE_TOKEN, {batch, time, heads}, domainOf(arg),
          hasValueHeads(dims[arg], domainOf(arg)) ? valueHeads : heads);
  for (BlockArgument arg : recurrence.getParams())
    add(nameOf(arg), QDELTA_ROLE_PARAM, {valueHeads}, domainOf(arg));
  size_t inputs = recurrence.getTokens().size() +
                  recurrence.getParams().size() + recurrence.getStates().size();
  bool hasLevels = static_cast<bool>(recurrence.getLevels());
  inputs += hasLevels;
  bool hasIntegers = inputs < types.size() && isOfIntegers(types[inputs]);
  bool isIndexed = inPlace && hasIntegers;
  int64_t stateHeads = hasLevels ? QDELTA_DIM_LEVEL_HEADS : valueHeads;
  for (BlockArgument arg : recurrence.getStates())
    add(nameOf(arg),
        isIndexed ? QDELTA_ROLE_STATE_POOL
        : inPlace ? QDELTA_ROLE_STATE
                  : QDELTA_ROLE_INITIAL_STATE,
        {isIndexed ? int64_t(QDELTA_DIM_POOL) : batch, stateHeads});
  if (hasLevels)
    add("position", QDELTA_ROLE_POSITION, {batch});
  if (isIndexed)
    add("state_index", QDELTA_ROLE_STATE_INDEX, {batch});
  else if (hasIntegers)
    add("cu_seqlens", QDELTA_ROLE_CU_SEQLENS, {QDELTA_DIM_BOUNDS});
  size_t outputs = recurrence.getYield().getOutputs().size();
  for (size_t i = 0; i < outputs; ++i)
    add(outputs == 1 ? "o" : "o" + std::to_string(i + 1), QDELTA_ROLE_OUTPUT,
        {batch, time, valueHeads});
  if (inPlace)
    return b.getArrayAttr(all);
  for (BlockArgument arg : recurrence.getStates())
    add(nameOf(arg) + Twine("_final"), QDELTA_ROLE_FINAL_STATE,
        {batch, stateHeads});
  return b.getArrayAttr(all);
}
