//===- DeriveStage.h - one list or prescan of a step ------------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_DERIVESTAGE_H
#define QDELTA_TRANSFORMS_DERIVESTAGE_H

#include "LinearForm.h"
#include "StepStrata.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace qdelta {

/// What stands at one position of a step (see `Step`): the region of an
/// `affine_scan` or a `prescan`, before the op itself can be made. Stages are
/// filled last to first, since a stage says what it needs from earlier ones.
class Stage {
public:
  Stage(Step &step, int64_t position);
  Stage(Stage &&) = default;
  virtual ~Stage() = default;

  int64_t getPosition() const { return position; }
  /// Asks for `value`, a value of the step at this position, as a sequence.
  void provide(mlir::Value value) { provided.insert(value); }
  /// Makes `value` the step's output number `index`.
  void provideOutput(unsigned index) { outputs.push_back(index); }

  /// Fills the region.
  virtual void fill() = 0;

  /// Values of earlier positions that the filled region takes as token inputs.
  llvm::SmallVector<mlir::Value> getImports() const;

  /// Creates the op at `b` in place of a part of `run`. `sequences` maps the
  /// imports to earlier ops' results and receives this one's; so do
  /// `outputs` and `finals`, by their number in the recurrence.
  virtual void create(mlir::OpBuilder &b, RunOpInterface run,
                      llvm::DenseMap<mlir::Value, mlir::Value> &sequences,
                      llvm::MutableArrayRef<mlir::Value> outputs,
                      llvm::MutableArrayRef<mlir::Value> finals) = 0;

protected:
  /// The region's value for a token-local value of the step: an argument, an
  /// import, or a copy of the op that makes it.
  mlir::Value local(mlir::Value value);
  /// The region's value for what this stage makes itself, at `b`.
  virtual mlir::Value make(mlir::Value value) = 0;
  mlir::Value cloneOp(mlir::Value value);

  /// The operands of the op, arguments that nothing uses left out.
  struct Operands {
    llvm::SmallVector<mlir::Value> tokens, params, inits;
    llvm::SmallVector<mlir::Attribute> names;
  };
  Operands
  takeOperands(RunOpInterface run,
               const llvm::DenseMap<mlir::Value, mlir::Value> &sequences);
  /// The types of what the op returns: outputs, then values provided.
  llvm::SmallVector<mlir::Type> resultTypes(RunOpInterface run);
  /// Hands on the op's results; the finals are those of `states`.
  void setResults(mlir::Operation *op, llvm::ArrayRef<unsigned> states,
                  llvm::DenseMap<mlir::Value, mlir::Value> &sequences,
                  llvm::MutableArrayRef<mlir::Value> outputs,
                  llvm::MutableArrayRef<mlir::Value> finals);
  mlir::Value yielded(unsigned output) {
    return step.getRecurrence().getYield().getOutputs()[output];
  }
  RecurrenceOp recurrence() const { return step.getRecurrence(); }

  Step &step;
  int64_t position;
  std::unique_ptr<mlir::Region> region;
  mlir::Block &block;
  mlir::OpBuilder b;
  /// Step values to region values.
  mlir::IRMapping map;
  /// The step's value that each region argument stands for.
  llvm::DenseMap<mlir::Value, mlir::Value> origins;
  llvm::SetVector<mlir::Value> provided;
  llvm::SmallVector<unsigned> outputs;
  /// Region arguments: token inputs and imports come first.
  unsigned numTokens = 0, numParams = 0;
};

/// A list over the matrix states at `position`.
std::unique_ptr<Stage> createListStage(Step &step, int64_t position);
/// A prescan with the vector and scalar states at `position`.
std::unique_ptr<Stage> createPrescanStage(Step &step, int64_t position);

/// Erases token-local arithmetic that nothing uses.
void eraseDead(mlir::Block &block);

} // namespace qdelta

#endif // QDELTA_TRANSFORMS_DERIVESTAGE_H
