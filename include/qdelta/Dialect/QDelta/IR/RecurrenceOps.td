//===- RecurrenceOps.td - the step of one token --------------*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_RECURRENCE_OPS_TD
#define QDELTA_RECURRENCE_OPS_TD

include "qdelta/Dialect/QDelta/IR/QDeltaDialect.td"
include "qdelta/Dialect/QDelta/IR/RunOpInterface.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class QDelta_Op<string mnemonic, list<Trait> traits = []>
    : Op<QDelta_Dialect, mnemonic, traits>;

def QDelta_Vector : 1DTensorOf<[F32, F64]>;
def QDelta_Scalar : AnyTypeOf<[F32, F64]>;
def QDelta_Matrix : RankedTensorOf<[F32, F64]>;
def QDelta_State : AnyTypeOf<[F32, F64, RankedTensorOf<[F32, F64]>]>;
def QDelta_ScalarOrVector : AnyTypeOf<[F32, F64, QDelta_Vector]>;

def QDelta_RecurrenceOp : QDelta_Op<"recurrence", [
    IsolatedFromAbove, Symbol, SingleBlock,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "what one token does to the state";
  let description = [{
    A symbol whose region is the step of one token. Its arguments are, in this
    order, the states (matrices tensor<K x V>, vectors or scalars), the token's
    inputs (a scalar, a key vector tensor<K>, half a key vector tensor<K/2> or a
    value vector tensor<V>) and the parameters (the same shapes, but one for all
    tokens). K, V may be `?`. `arith` and `math` ops work element by element on
    scalars and vectors; a matrix state is used only by `qdelta.decay`,
    `qdelta.decay_values`, `qdelta.read`, `qdelta.read_values`, `qdelta.write`,
    `qdelta.mix` and `qdelta.yield`. An argument may state its domain: `{qdelta.unit}` for a vector of norm 1,
    `{qdelta.range = [lo, hi]}` for a scalar or the entries of a vector,
    `{qdelta.log_decay}` for one at most 0, -inf included. A matrix state with
    `{qdelta.square}` is K x K: what is read from it is a key vector.
    A scalar token input with `{qdelta.levels = "fenwick"}` gives the recurrence
    levels: it has a matrix state for each of L levels, and this input is another
    number for each of them /*recurrence_c8*/.
    The meaning is `docs/Spec.md`, "recurrence".

    Example (Gated DeltaNet, arXiv 2412.06464):
    ```mlir
    qdelta.recurrence @gated_delta_net(state %S: tensor<?x?xf32>)
        token(%q: tensor<?xf32>, %k: tensor<?xf32> {qdelta.unit},
              %v: tensor<?xf32>, %g: f32, %beta: f32)
        param(%scale: f32) {
      %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
      %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
      %d = arith.subf %v, %p : tensor<?xf32>
      %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
      %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>
      %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
      %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
      qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
    }
    ```
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility,
    StrArrayAttr:$arg_names,
    DictArrayAttr:$arg_attrs,
    ConfinedAttr<I64Attr, [IntPositive]>:$num_states,
    ConfinedAttr<I64Attr, [IntNonNegative]>:$num_tokens);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block::BlockArgListType getStates() {
      return getBody().getArguments().take_front(getNumStates());
    }
    ::mlir::Block::BlockArgListType getTokens() {
      return getBody().getArguments().slice(getNumStates(), getNumTokens());
    }
    ::mlir::Block::BlockArgListType getParams() {
      return getBody().getArguments().drop_front(getNumStates() + getNumTokens());
    }
    /// The name of argument `index`, without `%`.
    ::llvm::StringRef getArgName(unsigned index) {
      return ::llvm::cast<::mlir::StringAttr>(getArgNames()[index]).getValue();
    }
    ::qdelta::YieldOp getYield();
    /// The token input with a number for each level, or null without levels.
    ::mlir::BlockArgument getLevels();
  }];
}

def QDelta_DecayOp : QDelta_Op<"decay", [
    Pure, AllTypesMatch<["state", "result"]>]> {
  let summary = "S <- Diag(e^g) S";
  let description = [{
    Scales the rows of a matrix state, or the entries of a vector or scalar
    state, by e^g. `g` is a log decay, at most 0 in a stable recurrence: a
    scalar, or one value per row or entry /*decay_c1*/. -inf erases.
  }];
  let arguments = (ins QDelta_State:$state, QDelta_ScalarOrVector:$g);
  let results = (outs QDelta_State:$result);
  let assemblyFormat = "$state `by` $g attr-dict `:` type($state) `,` type($g)";
  let hasVerifier = 1;
}

def QDelta_DecayValuesOp : QDelta_Op<"decay_values", [
    Pure, AllTypesMatch<["state", "result"]>]> {
  let summary = "S <- S Diag(e^g)";
  let description = [{
    Scales the columns of a matrix state by e^g, where `decay` scales its rows:
    `g` has one log decay per value channel /*decay_values_c1*/, at most 0 in a
    stable recurrence. -inf erases.
  }];
  let arguments = (ins QDelta_Matrix:$state, QDelta_Vector:$g);
  let results = (outs QDelta_Matrix:$result);
  let assemblyFormat = "$state `by` $g attr-dict `:` type($state) `,` type($g)";
  let hasVerifier = 1;
}

def QDelta_ReadOp : QDelta_Op<"read", [Pure,
    DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "y = S^T x";
  let description = [{
    Reads the state tensor<K x V> at the key vector `at`, tensor<K>
    /*read_c1*/; the result is a value vector tensor<V>.
  }];
  let arguments = (ins QDelta_Matrix:$state, QDelta_Vector:$at);
  let results = (outs QDelta_Vector:$result);
  let assemblyFormat = "$state `at` $at attr-dict `:` type($state) `,` type($at)";
  let hasVerifier = 1;
}

def QDelta_ReadValuesOp : QDelta_Op<"read_values", [Pure,
    DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "z = S y";
  let description = [{
    Reads the state tensor<K x V> on its value side, at the value vector `at`,
    tensor<V> /*read_values_c1*/; the result is a key vector tensor<K>. It is
    what `read` is to the transposed state.
  }];
  let arguments = (ins QDelta_Matrix:$state, QDelta_Vector:$at);
  let results = (outs QDelta_Vector:$result);
  let assemblyFormat = "$state `at` $at attr-dict `:` type($state) `,` type($at)";
  let hasVerifier = 1;
}

def QDelta_WriteOp : QDelta_Op<"write", [
    Pure, AllTypesMatch<["state", "result"]>]> {
  let summary = "S <- S + a e^T";
  let description = [{
    Adds the outer product of the key vector `key`, tensor<K> /*write_c1*/, and
    the value vector `value`, tensor<V> /*write_c2*/, to the state.
  }];
  let arguments = (ins QDelta_Matrix:$state, QDelta_Vector:$key, QDelta_Vector:$value);
  let results = (outs QDelta_Matrix:$result);
  let assemblyFormat = [{
    $state `key` $key `value` $value attr-dict `:` type($state) `,` type($key) `,` type($value)
  }];
  let hasVerifier = 1;
}

def QDelta_MixOp : QDelta_Op<"mix", [
    Pure, AllTypesMatch<["state", "source", "result"]>]> {
  let summary = "S <- S + c M";
  let description = [{
    Adds another matrix state, as it is at this place of the step, times a
    scalar. Both are tensor<K x V> /*mix_c1*/, and two states, not one
    /*mix_c2*/.
  }];
  let arguments = (ins QDelta_Matrix:$state, QDelta_Matrix:$source,
                       QDelta_Scalar:$by);
  let results = (outs QDelta_Matrix:$result);
  let assemblyFormat = [{
    $state `with` $source `by` $by attr-dict `:` type($state) `,` type($by)
  }];
  let hasVerifier = 1;
}

def QDelta_ScaleOp : QDelta_Op<"scale", [
    Pure, AllTypesMatch<["vector", "result"]>]> {
  let summary = "a vector times a scalar";
  let description = [{
    In a recurrence and in an affine list: tensor<D> times a scalar. In the
    chunk form the same op scales the rows of a tile: tensor<C x D> by
    tensor<C>; its factor lacks exactly the last dimension /*scale_c1*/.
  }];
  let arguments = (ins AnyRankedTensor:$vector,
                       AnyTypeOf<[F32, F64, AnyRankedTensor]>:$by);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$vector `by` $by attr-dict `:` type($vector) `,` type($by)";
  let hasVerifier = 1;
}

def QDelta_MaxPlusOp : QDelta_Op<"max_plus", [
    Pure, AllTypesMatch<["state", "input", "result"]>]> {
  let summary = "m <- max(m + f, i)";
  let description = [{
    What `decay` and `write` are to a sum, for a maximum: the update of a vector
    or scalar state that a stabiliser needs. `decay` is a scalar or has an entry
    for each of the state's /*max_plus_c1*/.
  }];
  let arguments = (ins QDelta_ScalarOrVector:$state, QDelta_ScalarOrVector:$decay,
                       QDelta_ScalarOrVector:$input);
  let results = (outs QDelta_ScalarOrVector:$result);
  let assemblyFormat = [{
    $state `decay` $decay `input` $input attr-dict `:` type($state) `,` type($decay)
  }];
  let hasVerifier = 1;
}

def QDelta_DotOp : QDelta_Op<"dot", [Pure, AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "sum of the products of two vectors' entries";
  let description = [{
    In a recurrence and in a prescan two vectors of one dimension make a scalar.
    In the chunk form the same op takes tiles row by row: tensor<C x D> twice
    gives tensor<C>; the result lacks exactly the last dimension /*dot_c1*/.
  }];
  let arguments = (ins AnyRankedTensor:$lhs, AnyRankedTensor:$rhs);
  let results = (outs AnyTypeOf<[F32, F64, AnyRankedTensor]>:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)
  }];
  let hasVerifier = 1;
}

def QDelta_MeanOp : QDelta_Op<"mean", [Pure]> {
  let summary = "the mean of a vector's entries";
  let description = [{
    Of a vector a scalar; of a tile [C x D], row by row, tensor<C>: the result
    lacks exactly the last dimension /*mean_c1*/. An empty vector has mean 0.
  }];
  let arguments = (ins AnyRankedTensor:$vector);
  let results = (outs AnyTypeOf<[F32, F64, AnyRankedTensor]>:$result);
  let assemblyFormat = "$vector attr-dict `:` type($vector) `->` type($result)";
  let hasVerifier = 1;
}

def QDelta_SplatOp : QDelta_Op<"splat", [Pure, AllTypesMatch<["like", "result"]>]> {
  let summary = "a vector whose entries are all one scalar";
  let description = [{
    As long as `like`, of which nothing else is used. In the chunk form
    tensor<C> becomes tensor<C x D>, row by row: `value` lacks exactly the last
    dimension /*splat_c1*/.
  }];
  let arguments = (ins AnyTypeOf<[F32, F64, AnyRankedTensor]>:$value,
                       AnyRankedTensor:$like);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$value `like` $like attr-dict `:` type($value) `,` type($like)";
  let hasVerifier = 1;
}

def QDelta_RotateOp : QDelta_Op<"rotate", [
    Pure, AllTypesMatch<["vector", "result"]>, AllTypesMatch<["cos", "sin"]>]> {
  let summary = "rotates the channel pairs (j, j + K/2) of a key vector";
  let description = [{
    y_j = c_j x_j - s_j x_{j+K/2} and y_{j+K/2} = s_j x_j + c_j x_{j+K/2}, where
    x has K entries and c, s have K/2 /*rotate_c1*/. K must be even. In the
    chunk form it rotates tiles row by row.
  }];
  let arguments = (ins AnyRankedTensor:$vector, AnyRankedTensor:$cos,
                       AnyRankedTensor:$sin);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $vector `by` $cos `,` $sin attr-dict `:` type($vector) `,` type($cos)
  }];
  let hasVerifier = 1;
}

def QDelta_YieldOp : QDelta_Op<"yield", [
    Pure, Terminator, AttrSizedOperandSegments, HasParent<"RecurrenceOp">]> {
  let summary = "ends a step: the new states and the token's outputs";
  let description = [{
    `states` has one value per state of the recurrence, in order, each of the
    state's type /*yield_c1*/; at least one output vector, but for a summary
    /*yield_c2*/. Outputs are value vectors, or are made of what is read from a
    square state /*yield_c3*/.
  }];
  let arguments = (ins Variadic<QDelta_State>:$states,
                       Variadic<QDelta_Vector>:$outputs);
  let assemblyFormat = [{
    `state` $states `:` type($states) (`out` $outputs^ `:` type($outputs))? attr-dict
  }];
}

def QDelta_CuSeqlens : 1DTensorOf<[I32, I64]>;
def QDelta_StateIndex : 1DTensorOf<[I32]>;
def QDelta_Position : 1DTensorOf<[I32]>;

/// What `qdelta.scan` and `qdelta.step` share: everything but `own` operands.
class QDelta_RunOp<string mnemonic, dag own = (ins), string ownFormat = "">
    : QDelta_Op<mnemonic, [
    Pure, AttrSizedOperandSegments, AttrSizedResultSegments, QDelta_RunOpInterface,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let arguments = !con((ins FlatSymbolRefAttr:$callee,
                            Variadic<AnyRankedTensor>:$tokens,
                            Variadic<AnyRankedTensor>:$params,
                            Variadic<AnyRankedTensor>:$inits,
                            Optional<QDelta_Position>:$position), own);
  let results = (outs Variadic<AnyRankedTensor>:$outputs,
                      Variadic<AnyRankedTensor>:$finals);
  let assemblyFormat = [{
    $callee `(` $tokens `)` (`param` `(` $params^ `)`)? `init` `(` $inits `)`
    (`position` `(` $position^ `:` type($position) `)`)?}]
    # ownFormat # [{
    attr-dict `:` `(` type($tokens) `)` (`param` `(` type($params)^ `)`)?
    `init` `(` type($inits) `)` `->` `(` type($outputs) `)`
    `final` `(` type($finals) `)`
  }];
}

def QDelta_ScanOp : QDelta_RunOp<"scan", (ins Optional<QDelta_CuSeqlens>:$cu_seqlens),
    " (`cu_seqlens` `(` $cu_seqlens^ `:` type($cu_seqlens) `)`)? "> {
  let summary = "runs a recurrence over sequences";
  let description = [{
    Applies the recurrence `callee` token by token, for every batch entry and
    value head, and means exactly that loop. Shapes, with H dividing HV:
    a scalar token input is a sequence [B, T, H], a vector one [B, T, H, D];
    a scalar parameter is [HV], a vector one [HV, D]; an initial state is
    [B, HV, K, V], [B, HV, D] or [B, HV] for a matrix, vector or scalar state,
    and so is the final one; an output is [B, T, HV, V].
    Value head h reads head h floor-divided by (HV / H) of a sequence with H
    heads. T may be 0: outputs are then empty and states pass through.
    Verified: counts /*scan_c1*/, ranks /*scan_c2*/, equal static dimensions
    /*scan_c3*/, HV a multiple of every H /*scan_c4*/, element types those of
    the recurrence /*scan_c5*/. Vector token inputs and outputs may be stored as
    bf16 or as f16, all in one type, where the recurrence has f32: its
    arithmetic stays f32, an element is converted where it is read, and an
    output is rounded to nearest, ties to even, where it is written.

    With `cu_seqlens` [N + 1] sequences of different lengths are packed into one:
    token inputs and outputs have B = 1, states have N in place of B, and
    sequence n is tokens cu_seqlens[n] to cu_seqlens[n + 1] - 1, from initial
    state n to final state n /*scan_c6*/. Sequences may be empty. It is 0 first,
    T last and never decreases, which is checked when it is run.

    Of a recurrence with levels the token input that has them is [B, T, HV, L],
    and states are [B, HV L, K, V]: that of level l of head h is number h L + l.
    `position` [B] says how many tokens of each sequence came before, and those
    and T are together at most 2^(L - 1) /*scan_c7*/. docs/Spec.md, Levels.
  }];
  let extraClassDeclaration = [{
    ::mlir::Value getStateIndex() { return {}; }
    bool isInPlace() { return false; }
  }];
}

def QDelta_StepOp : QDelta_RunOp<"step", (ins Optional<QDelta_StateIndex>:$state_index),
    " (`state_index` `(` $state_index^ `:` type($state_index) `)`)? "> {
  let summary = "runs a recurrence over few tokens, on states in place";
  let description = [{
    Means the same token loop as `qdelta.scan`, over at most 16 tokens
    /*step_c1*/, and is verified as that is: scan_c1 to scan_c5. The final states
    replace the initial ones: in buffers they are the same memory. T may be 0:
    states stay as they are.

    With `state_index` [B] states are pools [N, HV, ...]: batch entry b works on
    entry state_index[b] of each, and all other entries stay as they are
    /*step_c2*/. Its numbers are distinct and from 0 to N - 1, which is checked
    when it is run.
  }];
  let extraClassDeclaration = [{
    /// The most tokens of a step.
    static constexpr int64_t kMostTokens = 16;
    ::mlir::Value getCuSeqlens() { return {}; }
    bool isInPlace() { return true; }
  }];
}

#endif // QDELTA_RECURRENCE_OPS_TD
