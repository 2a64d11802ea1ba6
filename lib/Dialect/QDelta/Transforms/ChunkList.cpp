//===- ChunkList.cpp - an affine list as the chunk form reads it ----------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#include "ChunkList.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

static ChunkList::Terms termsOf(OperandRange coefficients, OperandRange terms) {
  ChunkList::Terms result;
  for (auto [coefficient, term] : llvm::zip(coefficients, terms))
    result.emplace_back(coefficient, term);
  return result;
}

static bool isReadout(const std::pair<Value, Value> &term) {
  return isa<ReadoutType>(term.second.getType());
}

FailureOr<ChunkList> ChunkList::get(AffineScanOp op) {
  if (op.getInits().size() != 1)
    return op.emitError("the chunk form covers lists with one state, but this "
                        "one has ")
           << op.getInits().size();
  ChunkList list;
  list.element =
      cast<FloatType>(getElementTypeOrSelf(op.getInits()[0].getType()));
  for (Value arg : op.getBody().getArguments())
    if (Type type = getElementTypeOrSelf(arg.getType()); type != list.element)
      return op.emitError(
                 "the chunk form covers lists in one element type, but "
                 "an argument of this one is in ")
             << type << " and its state in " << list.element;
  int64_t position = 0;
  for (Operation &entry : op.getBody().front()) {
    int64_t place = list.logs.size(), channelPlace = list.channelLogs.size();
    if (auto decay = dyn_cast<AffineDecayOp>(entry)) {
      bool perChannel = isa<RankedTensorType>(decay.getG().getType());
      (perChannel ? list.channelLogs : list.logs).push_back(decay.getG());
    } else if (auto read = dyn_cast<AffineReadOp>(entry)) {
      Read made{{place, channelPlace, position++},
                termsOf(read.getCoefficients(), read.getBases())};
      for (Value base : read.getBases()) {
        list.readings.insert({base, channelPlace});
        list.keys.insert(base);
      }
      list.reads.insert({read.getResult(), std::move(made)});
    } else if (auto write = dyn_cast<AffineWriteOp>(entry)) {
      Write made{{place, channelPlace, position++},
                 write.getKey(),
                 termsOf(write.getCoefficients(), write.getTerms())};
      made.unknown = llvm::any_of(made.values, isReadout);
      list.writes.push_back(std::move(made));
    } else if (auto output = dyn_cast<AffineOutputOp>(entry)) {
      list.outputs.push_back(
          termsOf(output.getCoefficients(), output.getTerms()));
    }
  }
  for (Write &write : list.writes)
    list.keys.insert(write.key);
  return list;
}
