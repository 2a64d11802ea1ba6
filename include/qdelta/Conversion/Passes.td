//===- Passes.td - from tensors to machine code --------------*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CONVERSION_PASSES_TD
#define QDELTA_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ChunkToGpu : Pass<"qdelta-chunk-to-gpu", "::mlir::ModuleOp"> {
  let summary = "chunk kernels become programs of GPU threads";
  let description = [{
    A CTA per batch entry, head and value block, in two roles that work a chunk
    apart. The *Gram* role makes what does not depend on the state: token
    scalars in lanes, [C x C] matrices 16 rows a warp, and the system's inverse.
    The *state* role carries the transposed state in registers, 16 value columns
    a warp, and emits the chunk's ops on columns in their order. Tiles arrive in
    a ring of three stages by asynchronous copies; a barrier of the CTA ends
    each chunk.

    Before: entry functions whose schedule has `kernel = true`.
    After: an `llvm.func` with `nvvm.kernel` each, in arith, scf and llvm.
    Preconditions: tokens are vectors and f32 scalars, keys are sequences.

    Numerics: changes precision; operands of products are rounded to the
    schedule's number format, products add up in f32.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def ListToGpu : Pass<"qdelta-list-to-gpu", "::mlir::ModuleOp"> {
  let summary = "lists of few tokens become programs of GPU threads";
  let description = [{
    A CTA per batch entry, head and value block. A thread holds `lanes` adjacent
    columns of some key channels of the state in registers, from the first token
    to the last, and runs the list's entries in their order. A read is summed up
    over the threads that share its columns by shuffles; nothing goes through
    shared memory, and no thread waits for another warp. The vectors of the next
    token are loaded while a token's are used.

    Before: entry functions that are nothing but a `qdelta.affine_scan` whose
    schedule has `kernel = true, chunk = 1`.
    After: an `llvm.func` with `nvvm.kernel` each, in arith, scf and llvm.
    Preconditions: states of one shape.

    Numerics: reassociates the sums of reads; products and sums are in f32.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def PrescanToGpu : Pass<"qdelta-prescan-to-gpu", "::mlir::ModuleOp"> {
  let summary = "prescans become programs of GPU threads";
  let description = [{
    A warp per batch entry, head and run of tokens. The threads of the warp share
    each vector, in pieces of adjacent channels; sums over a vector are shuffles.
    States stay in registers, and a token's inputs are loaded while the token
    before it is worked on. If every state is a window, `set` from the token's
    inputs and from other windows, a run has the schedule's `span` tokens, and
    begins with as many tokens before them as the longest window has, of which
    it makes the states alone; so is a prescan without states. Else there is one
    run, of all tokens.

    Before: functions that are nothing but a `qdelta.prescan` whose schedule has
    `kernel = true`.
    After: an `llvm.func` with `nvvm.kernel` each, in arith, math, scf and llvm.
    Preconditions: static vectors; the region's elements are f32.

    Numerics: reassociates sums over vectors; all is in f32.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def LevelsToGpu : Pass<"qdelta-levels-to-gpu", "::mlir::ModuleOp"> {
  let summary = "what goes with levels becomes programs of GPU threads";
  let description = [{
    A warp for each batch entry, head and run of 32 tokens. `qdelta.fenwick` has a
    thread for each token, which makes the numbers of its levels. Of
    `qdelta.add_levels` the threads share the channels of a token and add levels
    up in their order.

    Before: private functions that are nothing but one of these ops.
    After: an `llvm.func` with `nvvm.kernel` each, in arith, scf and llvm.
    Preconditions: static V.

    Numerics: sums are in f32 and in order.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def PlanLaunches : Pass<"qdelta-plan-launches", "::mlir::ModuleOp"> {
  let summary = "entry functions of several kernels become launches";
  let description = [{
    What an entry function calls, in order, becomes its attribute `qdelta.steps`:
    for each kernel its symbol, the numbers of the tensors that it takes and
    makes, and how many of them it takes. Numbers count the function's arguments,
    its results, and the sequences of `qdelta.workspaces`, which one kernel makes
    for another. The function is a declaration from here on.

    Before: an entry function of calls, the output of `-qdelta-outline-kernels`.
    After: an `llvm.func` without a body, with these attributes.
    Preconditions: none.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerTriangularSolve : Pass<"qdelta-lower-triangular-solve", "::mlir::ModuleOp"> {
  let summary = "triangular solves as loops over rows";
  let description = [{
    Forward substitution: row i of the solution is row i of the right-hand side
    plus the products of L's row i with the rows already solved. With `vectors`
    a row is a vector that stays in registers until it is solved, four rows at
    a time; otherwise it is a linalg op on a slice.

    Before: `qdelta.triangular_solve` on tensors.
    After: scf loops over row slices or vectors.
    Preconditions: none.

    Numerics: reassociates.
  }];
  let options = [
    Option<"vectors", "vectors", "bool", "false", "rows are vectors">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def AddDestinations : Pass<"qdelta-add-destinations", "::mlir::ModuleOp"> {
  let summary = "results become destinations that the caller owns";
  let description = [{
    Gives every entry function one argument per result, in order, in which the
    result is computed.

    Before: results that start from `tensor.empty`.
    After: results that start from arguments marked `bufferization.writable`.
    Preconditions: every result is an `scf.forall` over an empty tensor.

    Numerics: preserving.
  }];
}

def Bufferize : Pass<"qdelta-bufferize", "::mlir::ModuleOp"> {
  let summary = "tensors become buffers";
  let description = [{
    One-shot bufferization of whole functions. Sequences and states arrive with
    any strides but the last, which is 1 for vectors; destinations are written
    in place, so that no function returns a buffer.

    Before: tensors.
    After: memrefs.
    Preconditions: the output of `-qdelta-add-destinations`.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect"];
}

def ParallelRange : Pass<"qdelta-parallel-range", "::mlir::ModuleOp"> {
  let summary = "an entry function computes a range of its work items";
  let description = [{
    The outer `scf.forall` over batch entries and heads becomes a loop over work
    items begin .. end-1 of B * HV, two new last arguments, so that the runtime
    can give every thread a range.

    Before: `scf.forall (%b, %h) in (%B, %HV)`.
    After: `scf.for %item = %begin to %end`.
    Preconditions: buffers; one outermost forall.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def OwnAllocations : Pass<"qdelta-own-allocations", "::mlir::ModuleOp"> {
  let summary = "one allocation and one deallocation per buffer and call";
  let description = [{
    Moves every static allocation to the start of its function, every dynamic
    one in front of the outermost loop around it, and frees it at the end.

    Before: `memref.alloc` inside loops.
    After: `memref.alloc` before them, `memref.dealloc` at the end.
    Preconditions: buffers that do not leave the function, of sizes that are
    known before its loops.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def CopiesToLoops : Pass<"qdelta-copies-to-loops", "::mlir::ModuleOp"> {
  let summary = "memref.copy as loops";
  let description = [{
    So that no copy needs a runtime library.

    Before: `memref.copy`.
    After: `scf.for` over loads and stores.
    Preconditions: none.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
                           "::mlir::memref::MemRefDialect"];
}

def VectorizeLinalg : Pass<"qdelta-vectorize-linalg", "::mlir::ModuleOp"> {
  let summary = "linalg on static buffers as vector code";
  let description = [{
    Tiles every linalg op of static shape to registers, 4 rows by up to 64
    columns, and vectorises it: contractions become outer products whose
    accumulators stay in registers over the reduction. Ops whose lanes would
    not be contiguous stay as they are. Scalars that each turn of a loop loads from
    one place and stores there stay in registers too.

    Before: linalg on memrefs.
    After: vector ops in scf loops.
    Preconditions: buffers.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::scf::SCFDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::vector::VectorDialect"];
}

def TestElements : Pass<"qdelta-test-elements", "::mlir::ModuleOp"> {
  let summary = "tests of a row's extremes as tests of its elements";
  let description = [{
    Whether a row's smallest number is below a constant, or no number, is whether
    any number of the row is; likewise of its largest.

    Before: `vector.reduction <minimumf>` or `<maximumf>`, then `arith.cmpf`.
    After: `arith.cmpf` on the vector, then `vector.reduction <or>`.
    Preconditions: none.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect"];
}

def StripRows : Pass<"qdelta-strip-rows", "::mlir::ModuleOp"> {
  let summary = "long rows in strips of a vector register";
  let description = [{
    The ops of a block that work on vectors of more than two registers become a
    loop over strips of one register, or of two where one or two functions make
    the strip wait for itself, and one strip for the rest. Functions that have
    nothing to do with one another get a loop each. Sums and extremes of a row, and whether any of its bits is set, are finished after the loop; what
    depends on one comes in a later loop. Rows that shuffles take apart into halves,
    or put together, become two of half their length. A block with an op on long
    vectors that strips are not known for stays as it is.
    Rows of inputs, and rows of one number, are made in the strips that use them,
    wherever they stand.

    Before: transfers, elementwise ops and reductions of long vectors.
    After: the same on vectors of the schedule's lanes, in `scf.for`.
    Preconditions: buffers; a function with a schedule.

    Numerics: reassociates.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def FuseMultiplyAdds : Pass<"qdelta-fuse-multiply-adds", "::mlir::ModuleOp"> {
  let summary = "products and sums of vectors as one instruction";
  let description = [{
    A product of vectors that only a sum or a difference uses becomes part of it.
    Of two products the second one does.

    Before: `arith.mulf`, then `arith.addf` or `arith.subf`, on vectors.
    After: `math.fma`.
    Preconditions: none.

    Numerics: changes precision: the product is not rounded.
  }];
  let dependentDialects = ["::mlir::math::MathDialect"];
}

def ExpandMath : Pass<"qdelta-expand-math", "::mlir::ModuleOp"> {
  let summary = "math functions of vectors as polynomials";
  let description = [{
    Functions of f32 vectors become polynomials: e^x within 1 ulp, 0 for -inf; log x
    within 1, log(1 + x), sin x and cos x within 1.6, with a longer way for vectors
    with numbers that these do not cover, and a shorter one for e^x and log(1 + x)
    where the ops that make x tell its range; tanh and its like those of MLIR's math
    dialect. Scalars stay: they become calls of the C library, whose error is at most
    half an ulp or little more. In GPU kernels scalars become polynomials too.

    Before: `math.exp` on a vector.
    After: arith and math.fma ops.
    Preconditions: none.

    Numerics: changes precision.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def CarryRows : Pass<"qdelta-carry-rows", "::mlir::ModuleOp"> {
  let summary = "rows that cross from one round of a loop to the next in registers";
  let description = [{
    Where a loop reads and writes rows of a buffer at the same places in every
    round, the rows become values of the loop: read before it, written after it.
    What has been read ahead for the next chunk then does not go through memory.

    Before: transfers of rows in `scf.for`, at places that are known before it.
    After: loops that carry vectors, transfers before and after them.
    Preconditions: buffers, each with one owner.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def HoistAddresses : Pass<"qdelta-hoist-addresses", "::mlir::ModuleOp"> {
  let summary = "addresses before the loops they do not need";
  let description = [{
    Of a load, a store or a transfer of a row, the indices that a loop does not
    change pick a part of the buffer before the loop, from the outermost loop to
    the innermost; the last index stays. The multiplications by strides are then
    made once for each loop, not for each access.

    Before: `memref.load`, `memref.store` and transfers of rows in `scf.for`.
    After: the same on a `memref.subview` of fewer dimensions from before the loop.
    Preconditions: buffers.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def StaggerBuffers : Pass<"qdelta-stagger-buffers", "::mlir::ModuleOp"> {
  let summary = "buffers at different places of a page";
  let description = [{
    Processors hold a load back for an earlier store whose address ends in the
    same 12 bits, as if it read what that wrote. Rows of several states, which a
    loop loads and stores side by side, would meet that way if the states stood
    in memory one behind the other. So the buffers of a function that take a page
    or more start at places that are spread evenly over a page.

    Before: `memref.alloc` of constant sizes.
    After: those of a page or more are a `memref.view` of an allocation that is
    aligned to pages.
    Preconditions: buffers.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def CallCLibrary : Pass<"qdelta-call-c-library", "::mlir::ModuleOp"> {
  let summary = "log(1 + x) and e^x - 1 as calls of the C library";
  let description = [{
    log1p and expm1 become calls of the C library, element by element on vectors.
    Their way to LLVM would be a sum and a logarithm, or an exponential and a
    difference, which have no right digits near 0: a softplus of -10 would be off
    by a hundredth.

    Before: `math.log1p` in functions of the buffers phase.
    After: `func.call @log1pf`, or `@log1p` in f64.
    Preconditions: none.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::vector::VectorDialect"];
}

def PairUpdates : Pass<"qdelta-pair-updates", "::mlir::ModuleOp"> {
  let summary = "updates of the state by products of pairs";
  let description = [{
    A `qdelta.chunk_update` with keys in bf16 becomes one loop over the state's
    rows, two at a time: the values of two tokens are written by one product of
    pairs, and two rows, rounded, are read by one. Products add up in f32.

    Before: `qdelta.chunk_update` on tensors, keys in bf16 and a state in f32.
    After: scf, vector and x86vector ops on tensors.
    Preconditions: an even number of keys and of tokens; columns that fill
    registers of 16.

    Numerics: changes precision: the state and the values are rounded to bf16
    where they enter a product.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect",
                           "::mlir::x86vector::X86VectorDialect"];
}

def PairConversions : Pass<"qdelta-pair-conversions", "::mlir::ModuleOp"> {
  let summary = "two registers are rounded to bf16 at once";
  let description = [{
    Two registers that are rounded to bf16 and interleaved are rounded by one
    instruction, which has no op of its own in any dialect, and then put in order.

    Before: `vector.interleave` of two `x86vector.avx512.cvt.packed.f32_to_bf16`
    of `vector<16xf32>`.
    After: `llvm.call_intrinsic` and `vector.shuffle`. All else stays.
    Preconditions: a processor with avx512bf16, which the op that is replaced
    needs too.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::vector::VectorDialect"];
}

def ExpandBfloat : Pass<"qdelta-expand-bfloat", "::mlir::ModuleOp"> {
  let summary = "conversions of bf16 as integer arithmetic";
  let description = [{
    Widening is a shift. Rounding, to nearest with ties to even, adds half of the
    last place and shifts; a NaN becomes the quiet NaN. Code generation calls the
    compiler's library for each element where the processor has no instruction
    for bf16, and that instruction, where there is one, takes subnormal numbers
    for 0. Conversions of f16 have instructions that round right on most
    processors; `half` is for the others.

    Before: `arith.extf` and `arith.truncf` of bf16, scalars and vectors.
    After: `arith` on integers.
    Preconditions: buffers.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [
    Option<"half", "half", "bool", "false", "conversions of f16 too">];
}

def BfloatAccesses : Pass<"qdelta-bfloat-accesses", "::mlir::ModuleOp"> {
  let summary = "bf16 in memory as integers";
  let description = [{
    Loads and stores of bf16, scalars and vectors, become those of 16-bit
    integers. Where bf16 is no type of the processor, code generation may widen
    what it loads and call the compiler's library to store it, although nothing
    computes with it.

    Before: `llvm.load` of `vector<8xbf16>`.
    After: `llvm.load` of `vector<8xi16>`, and `llvm.bitcast` where bf16 is used.
    Preconditions: functions in the LLVM dialect.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def FunctionsToLLVM : Pass<"qdelta-functions-to-llvm", "::mlir::ModuleOp"> {
  let summary = "functions to the LLVM dialect, recurrences untouched";
  let description = [{
    Upstream's conversions of the func and cf dialects alone: its usual passes
    work on whole modules and would convert the recurrences that these keep.

    Before: `func.func`, `cf.br`.
    After: `llvm.func`, `llvm.br`.
    Preconditions: function bodies are in the cf and LLVM dialects.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def EmitEntries : Pass<"qdelta-emit-entries", "::mlir::ModuleOp"> {
  let summary = "functions that the runtime calls";
  let description = [{
    For every entry function `f` one function `f_entry(descriptors, begin, end)`
    of the type `qdeltaEntry` of `qdelta-c/Runtime.h`.

    Before: LLVM dialect functions with C interfaces.
    After: the same and their entries.
    Preconditions: the module is in the LLVM dialect.

    Numerics: preserving.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // QDELTA_CONVERSION_PASSES_TD
