//===- EntryPoints.h - functions that run one recurrence --------*- C++ -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===-----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_QDELTA_TRANSFORMS_ENTRYPOINTS_H
#define QDELTA_DIALECT_QDELTA_TRANSFORMS_ENTRYPOINTS_H

#include "qdelta/Dialect/QDelta/IR/QDelta.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qdelta {

/// The attribute of a function that runs exactly one recurrence over its
/// arguments: tokens, parameters, initial states, and cu_seqlens or a state
/// index if it has one; results: outputs, final states. It names the recurrence
/// and stays through every phase.
inline constexpr llvm::StringLiteral kRecurrenceAttr = "qdelta.recurrence";

/// The attribute of an entry function from the buffers phase on: for each of
/// its buffers a dictionary of `name`, `role` (a qdeltaRole), `shape` (sizes,
/// or the negative QDELTA_DIM_* of qdelta-c/Runtime.h) and `dtype`, its element
/// type, which is f32 where a dump of an older version lacks it.
inline constexpr llvm::StringLiteral kArgumentsAttr = "qdelta.arguments";

/// The attribute of a recurrence from the affine phase on: the `#qdelta.facts`
/// of each of its lists, in order.
inline constexpr llvm::StringLiteral kFactsAttr = "qdelta.facts";

/// The attributes of an entry function that is launched as several GPU kernels,
/// from the buffers phase on: for each of them a dictionary of `kernel`, its
/// symbol, `tensors`, their numbers, and `inputs`, how many of these it reads;
/// and the types of the sequences between them, whose numbers follow those of
/// the function's buffers.
inline constexpr llvm::StringLiteral kStepsAttr = "qdelta.steps";
inline constexpr llvm::StringLiteral kWorkspacesAttr = "qdelta.workspaces";

/// The attribute of a GPU kernel that updates states in place: for each of the
/// last results of its function the number of the tensor that it replaces.
inline constexpr llvm::StringLiteral kReplacedAttr = "qdelta.replaced";
/// The encoding of a sequence between kernels whose heads are those of all
/// levels.
inline constexpr llvm::StringLiteral kLevelHeads = "level_heads";

/// The attribute of an entry function whose sequences a launch on a CPU splits:
/// a dictionary of `count`, the number of segments, and of the kernels that it
/// takes: `run`, unless that is the function itself, `summary`, `apply` and, if
/// there is one, `advance` (docs/Decisions/0023).
inline constexpr llvm::StringLiteral kSegmentsAttr = "qdelta.segments";

/// The kinds of entry functions: a `qdelta.scan`, one with cu_seqlens, a
/// `qdelta.step`, and one with a state index; and a `qdelta.scan` of the
/// recurrence's summary, of the one that composes summaries, and of the one
/// that applies them.
inline constexpr llvm::StringLiteral kEntries[] = {
    "forward", "packed", "step", "step_indexed", "summary", "compose", "apply"};

/// What an entry function takes.
struct EntryPoint {
  /// One of `kEntries`.
  llvm::StringRef kind = "forward";
  /// The elements of cu_seqlens, in bits: 32 or 64.
  unsigned seqlenBits = 32;
};

/// The name of the entry function that `addEntryPoints` gives `recurrence`.
std::string entryPointName(llvm::StringRef recurrence,
                           llvm::StringRef kind = "forward");

/// Gives every recurrence that no function of this kind uses an entry function,
/// and marks functions that are an entry already. A recurrence that any scan or
/// step uses needs no `forward`.
void addEntryPoints(mlir::ModuleOp module, const EntryPoint &entry = {});

/// Gives `recurrence` a forward function, whatever runs it already.
void addForward(RecurrenceOp recurrence);

/// The argument of entry function `func` that is its cu_seqlens, or null. It is
/// told from a state index up to the affine phase.
mlir::BlockArgument cuSeqlensOf(mlir::func::FuncOp func);

/// The recurrence that entry function `func` runs, or null if it is none.
RecurrenceOp recurrenceOf(mlir::func::FuncOp func);

} // namespace qdelta

#endif // QDELTA_DIALECT_QDELTA_TRANSFORMS_ENTRYPOINTS_H
