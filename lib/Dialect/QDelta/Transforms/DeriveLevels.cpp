//===- DeriveLevels.cpp - a list that is run for each level ---------------===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
// Level l is the same list over blocks of 2^l tokens, each from a state of
// zeros. The known parts of writes, d, count for the tokens of a block's first
// half only, and what is read counts for those of its second half. At level 0 a
// block is one token, both source and reader, to which direct terms belong.
//
//===----------------------------------------------------------------------===//

#include "DeriveLevels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qdelta;

Value qdelta::levelsOf(RunOpInterface run, RecurrenceOp recurrence) {
  return run.getTokens()[recurrence.getLevels().getArgNumber() -
                         recurrence.getNumStates()];
}

namespace {
class LevelDerivation {
public:
  LevelDerivation(AffineScanOp op, Value like, Value position)
      : op(op), b(op), list(op.getBody().front()) {
    auto masks =
        FenwickOp::create(b, op.getLoc(), like, position, op.getCuSeqlens());
    Type scalar = getElementTypeOrSelf(like.getType());
    b.setInsertionPointToStart(&list);
    reset = addToken(masks.getReset(), scalar, "reset");
    source = addToken(masks.getSource(), scalar, "source");
    reader = addToken(masks.getReader(), scalar, "reader");
  }

  void derive();

private:
  Value addToken(Value sequence, Type scalar, StringRef name);
  void addReset(unsigned state);
  Value masked(Location loc, Value coefficient, Value mask);

  AffineScanOp op;
  OpBuilder b;
  Block &list;
  Value reset, source, reader;
};
} // namespace

Value LevelDerivation::addToken(Value sequence, Type scalar, StringRef name) {
  unsigned number = op.getTokens().size();
  op.getTokensMutable().append(sequence);
  SmallVector<Attribute> names(op.getArgNames().getValue());
  names.insert(names.begin() + number, b.getStringAttr(name));
  op.setArgNamesAttr(b.getArrayAttr(names));
  return list.insertArgument(number, scalar, op.getLoc());
}

/// A block begins before anything else happens to the state: with the list's
/// first decay, if that is the first thing.
void LevelDerivation::addReset(unsigned state) {
  for (Operation &entry : list) {
    auto decay = dyn_cast<AffineDecayOp>(entry);
    if (decay && decay.getState() == state &&
        decay.getG().getType() == reset.getType()) {
      b.setInsertionPoint(decay);
      decay.getGMutable().assign(
          arith::AddFOp::create(b, decay.getLoc(), decay.getG(), reset));
      return;
    }
    if (isa<AffineDecayOp, AffineReadOp, AffineWriteOp, AffineMixOp>(entry))
      break;
  }
  b.setInsertionPointToStart(&list);
  AffineDecayOp::create(b, op.getLoc(), state, reset);
}

Value LevelDerivation::masked(Location loc, Value coefficient, Value mask) {
  if (matchPattern(coefficient, m_OneFloat()))
    return mask;
  return arith::MulFOp::create(b, loc, coefficient, mask);
}

void LevelDerivation::derive() {
  for (unsigned state = 0; state < op.getInits().size(); ++state)
    addReset(state);
  auto isReadout = [](Value term) { return isa<ReadoutType>(term.getType()); };
  for (Operation &entry : llvm::make_early_inc_range(list)) {
    b.setInsertionPoint(&entry);
    if (auto write = dyn_cast<AffineWriteOp>(entry)) {
      for (auto [number, term] : llvm::enumerate(write.getTerms()))
        if (OpOperand &by = write.getCoefficientsMutable()[number];
            !isReadout(term))
          by.set(masked(write.getLoc(), by.get(), source));
    } else if (auto output = dyn_cast<AffineOutputOp>(entry)) {
      for (auto [number, term] : llvm::enumerate(output.getTerms())) {
        OpOperand &by = output.getCoefficientsMutable()[number];
        by.set(masked(output.getLoc(), by.get(), reader));
        if (!isReadout(term))
          by.set(masked(output.getLoc(), by.get(), source));
      }
    }
  }
}

void qdelta::deriveLevels(AffineScanOp op, Value like, Value position) {
  LevelDerivation(op, like, position).derive();
}
