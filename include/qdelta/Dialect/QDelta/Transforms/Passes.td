//===- Passes.td - passes over the qdelta dialect ------------*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_TRANSFORMS_PASSES_TD
#define QDELTA_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DeriveAffine : Pass<"qdelta-derive-affine", "::mlir::ModuleOp"> {
  let summary = "prove that a step is affine in its states and write its lists down";
  let description = [{
    Replaces every `qdelta.scan` and `qdelta.step` by one `qdelta.affine_scan` for each stratum of
    its matrix states: the list of decays, reads and writes (docs/Spec.md) with
    every value as a linear combination of earlier readouts and token-local
    vectors. Vector and scalar states, and token-local values that need a state
    or a reduction, become `qdelta.prescan`s between the lists.

    Before: `qdelta.scan @f` or `qdelta.step @f` of a verified `qdelta.recurrence`.
    After: `qdelta.affine_scan` with its facts, `qdelta.prescan`; recurrences
    stay as symbols.
    Preconditions: none. A step that is not affine in a state, that uses a state
    along two paths or yields the wrong one is an error at the offending line.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def DeriveSummaries : Pass<"qdelta-derive-summaries", "::mlir::ModuleOp"> {
  let summary = "recurrences that summarise runs of tokens, and join summaries";
  let description = [{
    A run of tokens takes a state S to P S + Q, with P [K x K] and Q [K x V]
    (docs/Spec.md, Summaries). For each recurrence @f adds three:

    * @f_summary, whose states are P and Q: from those of the tokens before it
      makes those of all tokens up to the last; from the identity and zeros, those
      of its own tokens. It has no outputs. Vector and scalar states, which do not
      depend on S, are states of it as well.
    * @f_compose takes states P and Q, the summary of earlier tokens, and rows of
      the P and Q of later tokens as its own tokens. Its outputs are the rows of
      the summary of both.
    * @f_apply takes the state S and the same rows. Its outputs are those of
      P S + Q.

    Before: recurrences.
    After: the same, and the derived ones behind each.
    Preconditions: one matrix state, which is read and decays on its key side
    only; no levels; no other state depends on it. Anything else is an error.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [
    Option<"kind", "kind", "std::string", "\"\"",
           "only that one: summary, compose or apply">];
}

def PrintFacts : Pass<"qdelta-print-facts", "::mlir::ModuleOp"> {
  let summary = "print what the derivation knows of each list";
  let description = [{
    Prints a line for each `qdelta.affine_scan` to standard output: its facts, and
    how many Gram matrices, products of a base that is read with a key that is
    written, its chunk form needs (docs/Spec.md, The chunk form).

    Before: lists with their facts.
    After: the same.
    Preconditions: none. Without lists nothing is printed.

    Numerics: preserving.
  }];
}

def Specialize : Pass<"qdelta-specialize", "::mlir::ModuleOp"> {
  let summary = "fix the key and value dimensions and the sequences' type";
  let description = [{
    Sets the dynamic key and value dimensions of every scan to the given sizes,
    and the element type that its sequences of vectors are stored in. `f64`
    makes recurrences and their scans f64 throughout. A recurrence that no such
    function runs yet gets an entry function first: with `entry=forward` over
    sequences of one length, with `entry=packed` over sequences of several, packed
    into one by `cu_seqlens`, with `entry=step` a `qdelta.step`, with
    `entry=step_indexed` one on pools of states, with `entry=summary`, `compose`
    and `apply` a `qdelta.scan` of the recurrence of that kind that
    `-qdelta-derive-summaries` derives. With `segments` of 2 or more, a forward
    function is marked to be split into that many segments, and what that takes
    is there beside it.

    Before: `tensor<?x?x?x?xf32>` keys.
    After: `tensor<?x?x?x128xbf16>` keys, with `dtype=bf16`.
    Preconditions: only functions whose arguments go straight into a scan.

    Numerics: preserving; with `dtype` bf16 or f16, changes precision of what is
    read and written, not of the arithmetic; with f64 of both.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let options = [
    Option<"key", "key", "int64_t", "0", "key dimension K, 0 keeps `?`">,
    Option<"value", "value", "int64_t", "0", "value dimension V, 0 keeps `?`">,
    Option<"dtype", "dtype", "std::string", "\"f32\"",
           "bf16 or f16 store vector token inputs and outputs so; f64 makes all of it f64; "
           "f32 keeps the types that are declared">,
    Option<"entry", "entry", "std::string", "\"forward\"",
           "the entry function that a recurrence gets: forward, packed, step, step_indexed, "
           "summary, compose or apply">,
    Option<"segments", "segments", "int64_t", "1",
           "segments that a launch on a CPU splits each sequence into, 1 for none, 0 to choose "
           "where sizes are static">,
    Option<"cuSeqlens", "cu-seqlens", "std::string", "\"i32\"",
           "the elements of a packed function's cu_seqlens: i32 or i64">];
}

def LevelsToHeads : Pass<"qdelta-levels-to-heads", "::mlir::ModuleOp"> {
  let summary = "lists with levels become lists with more heads";
  let description = [{
    Level l of head h becomes head h L + l of a list without levels, which finds
    its state there already; what has a number for each level is seen with these
    heads. Parameters become sequences, which may have fewer heads than the list.
    `qdelta.add_levels` adds the list's outputs up. Done for GPUs: CPUs have a loop
    over levels instead (docs/Decisions/0024).

    Before: `qdelta.affine_scan` with `levels`.
    After: one without, with `tensor.collapse_shape` and `qdelta.prescan` before it
    and `qdelta.add_levels` after it.
    Preconditions: dynamic numbers of levels and of their states.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def SelectSchedule : Pass<"qdelta-select-schedule", "::mlir::ModuleOp"> {
  let summary = "decide how each list runs, once";
  let description = [{
    Reads the target table and the list's facts and shapes, and writes
    `#qdelta.schedule` on every `qdelta.affine_scan` and `qdelta.prescan`. No
    other pass decides. On GPUs, tiles of a chunk hold inputs: the key vectors
    that a list makes itself, and value vectors made with a vector parameter or
    with functions of vectors, become a prescan's work if the list runs in
    chunks, or would but for shared memory. With mode = auto, what chunks on GPUs
    do not cover is a token loop, with a remark.

    Before: ops without a schedule.
    After: the same ops with one, and prescans in front of lists.
    Preconditions: static key and value dimensions.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
  let options = [
    Option<"target", "target", "std::string", "\"host\"",
           "a row of the target table, or host">,
    Option<"chunk", "chunk", "int64_t", "0", "tokens a chunk, 0 lets the pass choose">,
    Option<"mode", "mode", "std::string", "\"auto\"", "auto, recurrent or chunked">];
}

def OutlineKernels : Pass<"qdelta-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "lists and prescans of GPU targets as functions of their own";
  let description = [{
    An entry function with more than one list, or with a prescan, becomes calls
    of functions that are one of them each, in order. A vector sequence that one
    makes and a list in chunks takes or makes is stored in the format of that
    list's operands. A function of one list stays.

    Before: an entry function of lists and prescans whose schedules have
    `kernel = true`.
    After: private functions `<entry>_<number>`, and the entry calling them.
    Preconditions: none.

    Numerics: changes precision; what lies between two functions may be rounded.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def Chunk : Pass<"qdelta-chunk", "::mlir::ModuleOp"> {
  let summary = "write each list as chunks of one triangular system";
  let description = [{
    The chunk form (docs/Spec.md) as `scf.forall` over batch entries and heads
    and `scf.for` over chunks. Token-local parts and everything that does not
    depend on the state are made once per span of chunks and shared by all
    value blocks; products of shared bases are made once. A list or prescan that
    is a kernel itself (`kernel = true, chunk = 1`) stays.

    Before: `qdelta.affine_scan` with a schedule.
    After: chunk ops on tiles; only the state (and, with `fuse`, the readouts of
    the coming chunk) crosses chunks.
    Preconditions: static K and V; states of one shape, and of one list for GPUs
    one; chunks of one token for mixes of states that decay per key or value
    channel.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SecondaryChunks : Pass<"qdelta-secondary-chunks", "::mlir::ModuleOp"> {
  let summary = "split Gram matrices with decays per channel into blocks";
  let description = [{
    Between two places of a chunk every key channel decays by its own factor, so
    that a Gram matrix with decays per channel is no product of two tiles. Blocks
    off its diagonal are: with the place where a block of 16 reads starts as
    reference, the reads decay from there and the writes of earlier blocks up to
    it, and both factors are at most 1. Blocks on the diagonal stay as they are,
    with 16 tokens.

    Before: `qdelta.chunk_gram` with decays, of any chunk.
    After: those of more than 16 tokens are blocks, those with decays of 16
    tokens at most.
    Preconditions: none.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def UnrollChunks : Pass<"qdelta-unroll-chunks", "::mlir::ModuleOp"> {
  let summary = "expand chunk tiles into rows";
  let description = [{
    Lowers the chunk ops of functions marked `qdelta.unroll` by expanding every
    tile into the rows of its tokens: rows are vectors, the chunk's system is
    solved by substitution in registers, and the update with its reads is one
    pass over the rows of the state. Updates that follow one another, of several
    states, share one.

    Before: chunk ops on tiles of few tokens.
    After: scf, tensor, arith, math and vector ops; `qdelta.prefetch` remains.
    Preconditions: the output of `-qdelta-chunk`; tiles of sequences that end
    within them; no `qdelta.chunk_inverse`.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ChunkToLinalg : Pass<"qdelta-chunk-to-linalg", "::mlir::ModuleOp"> {
  let summary = "lower chunk ops to linalg on tiles";
  let description = [{
    Every chunk op of functions not marked `qdelta.unroll` becomes linalg,
    tensor and scf ops on matrices; `qdelta.triangular_solve` remains.

    Before: chunk ops on tiles.
    After: linalg ops on tensors.
    Preconditions: the output of `-qdelta-chunk`; tiles of sequences that end
    within them; no `qdelta.chunk_inverse`.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"];
}

def VerifyPhase : Pass<"qdelta-verify-phase", "::mlir::ModuleOp"> {
  let summary = "check the invariant of a phase";
  let description = [{
    Fails at the first op that the phase does not allow (docs/Pipelines.md).

    Before: any module.
    After: the same module.
    Preconditions: none.

    Numerics: preserving.
  }];
  let options = [
    Option<"phase", "phase", "std::string", "\"recurrence\"",
           "recurrence, affine, chunked, linalg, buffers or target">];
}

#endif // QDELTA_TRANSFORMS_PASSES_TD
