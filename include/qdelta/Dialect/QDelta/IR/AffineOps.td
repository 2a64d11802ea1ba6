//===- AffineOps.td - the proven list over whole sequences ---*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_AFFINE_OPS_TD
#define QDELTA_AFFINE_OPS_TD

include "qdelta/Dialect/QDelta/IR/RecurrenceOps.td"

def QDelta_LinearTerm : AnyTypeOf<[QDelta_Vector, QDelta_ReadoutType]>;

def QDelta_AffineScanOp : QDelta_Op<"affine_scan", [
    IsolatedFromAbove, SingleBlock, Pure, AttrSizedOperandSegments,
    AttrSizedResultSegments,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "a recurrence as a list of decays, reads and writes";
  let description = [{
    The same operands, results and shapes as `qdelta.scan`. The region takes
    one token's inputs and the parameters (no states): token-local arithmetic,
    and the list of `affine_decay`, `affine_read`, `affine_write`, `affine_mix`
    and `affine_output` ops in the order in which they happen. Each names its
    state by number /*affine_scan_c1*/; there is one `affine_output` per output
    /*affine_scan_c2*/ and region arguments match the operands
    /*affine_scan_c3*/, in element types /*affine_scan_c4*/ and with `cu_seqlens`
    /*affine_scan_c5*/ as in `qdelta.scan`.
    With `in_place` final states replace the initial ones, of which `state_index`
    says which to work on, as in `qdelta.step`; sequences are not packed then
    /*affine_scan_c6*/.
    With `levels` a scalar token input may be a sequence [B, T, H, L], and states
    are [B, H L, K, V]. The list is run for each of the L levels, with that level's
    numbers and state, and outputs are the sums over levels /*affine_scan_c7*/.
    `facts` is what the derivation proved, `schedule` what
    `-qdelta-select-schedule` decided. docs/Spec.md, A step is a list.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$tokens,
                       Variadic<AnyRankedTensor>:$params,
                       Variadic<AnyRankedTensor>:$inits,
                       Optional<QDelta_CuSeqlens>:$cu_seqlens,
                       Optional<QDelta_StateIndex>:$state_index,
                       UnitAttr:$in_place,
                       UnitAttr:$levels,
                       StrArrayAttr:$arg_names,
                       QDelta_FactsAttr:$facts,
                       OptionalAttr<QDelta_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$outputs,
                      Variadic<AnyRankedTensor>:$finals);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `(` $tokens `)` (`param` `(` $params^ `)`)? `init` `(` $inits `)`
    (`cu_seqlens` `(` $cu_seqlens^ `:` type($cu_seqlens) `)`)?
    (`in_place` $in_place^)?
    (`state_index` `(` $state_index^ `:` type($state_index) `)`)?
    (`levels` $levels^)?
    attr-dict-with-keyword `:` `(` type($tokens) `)` (`param` `(` type($params)^ `)`)?
    `init` `(` type($inits) `)` `->` `(` type($outputs) `)` `final` `(` type($finals) `)`
    $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether token input `number` is a sequence with a number for each level.
    bool isPerLevel(unsigned number);
  }];
}

def QDelta_FenwickOp : QDelta_Op<"fenwick", [
    Pure, AllTypesMatch<["like", "reset", "source", "reader"]>]> {
  let summary = "which tokens begin, fill and read the blocks of each level";
  let description = [{
    Sequences of the shape of `like`, [B, T, H, L] /*fenwick_c1*/, of which nothing
    else is used. For level l, and t the number of a token in its sequence, of
    which `position` tokens came before, whatever the head:
    * `reset`: -inf where t is a multiple of 2^l, and 0 elsewhere;
    * `source`: 1 where bit l - 1 of t is 0, and 0 elsewhere;
    * `reader`: 1 where bit l - 1 of t is 1, and 0 elsewhere.
    At level 0 every token is a block of its own, a source and a reader.
    docs/Spec.md, Levels.
  }];
  let arguments = (ins RankedTensorOf<[F32, F64]>:$like,
                       QDelta_Position:$position,
                       Optional<QDelta_CuSeqlens>:$cu_seqlens);
  let results = (outs RankedTensorOf<[F32, F64]>:$reset,
                      RankedTensorOf<[F32, F64]>:$source,
                      RankedTensorOf<[F32, F64]>:$reader);
  let assemblyFormat = [{
    `like` $like `position` `(` $position `:` type($position) `)`
    (`cu_seqlens` `(` $cu_seqlens^ `:` type($cu_seqlens) `)`)?
    attr-dict `:` type($like)
  }];
  let hasVerifier = 1;
}

def QDelta_AddLevelsOp : QDelta_Op<"add_levels", [Pure]> {
  let summary = "the sums over levels of what a list makes for each of them";
  let description = [{
    Entry (b, t, h) of the result [B, T, H, V] is the sum of the entries
    (b, t, h L + l) of `parts` [B, T, H L, V] for all levels l. `like` [B, T, H, L]
    says how many there are; nothing else of it is used /*add_levels_c1*/. Sums
    are made in the type of `like`, whatever the others are stored in.
  }];
  let arguments = (ins AnyRankedTensor:$parts,
                       RankedTensorOf<[F32, F64]>:$like,
                       Optional<QDelta_CuSeqlens>:$cu_seqlens);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $parts `like` $like (`cu_seqlens` `(` $cu_seqlens^ `:` type($cu_seqlens) `)`)?
    attr-dict `:` type($parts) `,` type($like) `->` type($result)
  }];
  let hasVerifier = 1;
}

def QDelta_AffineDecayOp : QDelta_Op<"affine_decay", [HasParent<"AffineScanOp">]> {
  let summary = "list entry: S <- Diag(e^g) S";
  let arguments = (ins I64Attr:$state, QDelta_ScalarOrVector:$g);
  let assemblyFormat = "$state `by` $g attr-dict `:` type($g)";
}

def QDelta_AffineDecayValuesOp : QDelta_Op<"affine_decay_values", [
    HasParent<"AffineScanOp">]> {
  let summary = "list entry: S <- S Diag(e^g)";
  let arguments = (ins I64Attr:$state, QDelta_Vector:$g);
  let assemblyFormat = "$state `by` $g attr-dict `:` type($g)";
}

def QDelta_AffineReadOp : QDelta_Op<"affine_read", [
    HasParent<"AffineScanOp">, SameVariadicOperandSize]> {
  let summary = "list entry: y = S^T (sum_i c_i x_i)";
  let description = [{
    The key vector is a combination of base vectors with token-scalar
    coefficients: lists whose reads share bases share products with the state.
  }];
  let arguments = (ins I64Attr:$state, Variadic<QDelta_Scalar>:$coefficients,
                       Variadic<QDelta_Vector>:$bases);
  let results = (outs QDelta_ReadoutType:$result);
  let assemblyFormat = [{
    $state `at` ` ` `(` $coefficients `)` `*` `(` $bases `)` attr-dict
    `:` (`(` type($coefficients)^ `)` `*` `(` type($bases) `)`)?
  }];
}

def QDelta_AffineWriteOp : QDelta_Op<"affine_write", [
    HasParent<"AffineScanOp">, AttrSizedOperandSegments]> {
  let summary = "list entry: S <- S + a (sum_i c_i e_i)^T";
  let description = [{
    `key` is a; each e_i is a token-local value vector or a readout of an
    earlier `affine_read`. Coefficients and terms pair up /*affine_write_c1*/.
  }];
  let arguments = (ins I64Attr:$state, QDelta_Vector:$key,
                       Variadic<QDelta_Scalar>:$coefficients,
                       Variadic<QDelta_LinearTerm>:$terms);
  let assemblyFormat = [{
    $state `key` $key `value` ` ` `(` $coefficients `)` `*` `(` $terms `)`
    attr-dict `:` type($key) `,` (`(` type($coefficients)^ `)` `*` `(` type($terms) `)`)?
  }];
  let hasVerifier = 1;
}

def QDelta_AffineMixOp : QDelta_Op<"affine_mix", [HasParent<"AffineScanOp">]> {
  let summary = "list entry: S <- S + c M";
  let description = [{
    M is the state `source`, another one than `state` and of its type
    /*affine_mix_c1*/; c is a token's scalar.
  }];
  let arguments = (ins I64Attr:$state, I64Attr:$source, QDelta_Scalar:$by);
  let assemblyFormat = "$state `with` $source `by` $by attr-dict `:` type($by)";
}

def QDelta_AffineOutputOp : QDelta_Op<"affine_output", [
    HasParent<"AffineScanOp">, SameVariadicOperandSize]> {
  let summary = "list entry: the token's next output, sum_i c_i e_i";
  let description = "Terms as in `affine_write`.";
  let arguments = (ins Variadic<QDelta_Scalar>:$coefficients,
                       Variadic<QDelta_LinearTerm>:$terms);
  let assemblyFormat = [{
    `(` $coefficients `)` `*` `(` $terms `)` attr-dict
    `:` (`(` type($coefficients)^ `)` `*` `(` type($terms) `)`)?
  }];
}

def QDelta_AffineEndOp : QDelta_Op<"affine_end", [
    Terminator, HasParent<"AffineScanOp">]> {
  let summary = "ends the list";
  let assemblyFormat = "attr-dict";
}

def QDelta_TransposeStateOp : QDelta_Op<"transpose_state", [Pure]> {
  let summary = "an initial state with key and value side exchanged";
  let description = [{
    Of a state [B, HV, K, V] the state [B, HV, V, K] with S^T for every batch
    entry and head /*transpose_state_c1*/. With `state_index` [B] it is taken from
    a pool [N, HV, K, V], of which it has the entries that the index names. What a
    list reads on the value side of a state is an ordinary read of the
    transposed one.
  }];
  let arguments = (ins AnyRankedTensor:$state,
                       Optional<QDelta_StateIndex>:$state_index);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $state (`state_index` `(` $state_index^ `:` type($state_index) `)`)?
    attr-dict `:` type($state) `->` type($result)
  }];
  let hasVerifier = 1;
}

def QDelta_PrescanOp : QDelta_Op<"prescan", [
    IsolatedFromAbove, SingleBlock, Pure, AttrSizedOperandSegments,
    AttrSizedResultSegments,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "token-local values, and vector and scalar states, as sequences";
  let description = [{
    For every batch entry and each of `heads` value heads, runs the region on
    one token after the other. The region takes the token's inputs, the
    parameters and the previous values of the states, vectors or scalars
    /*prescan_c1*/; `prescan_yield` names what becomes a sequence, one for each
    output /*prescan_c2*/. Each state is advanced once, by an `advance` in the
    order of the states /*prescan_c3*/, whose factor and addend do not depend on
    that state or a later one /*prescan_c4*/: an update is diagonal, affine or
    in the max-plus algebra, and associative in time. Shapes are those of
    `qdelta.scan`, with `cu_seqlens` too /*prescan_c5*/; an output is [B, T, HV]
    or [B, T, HV, D], a final state as its initial one. There is at least one
    token input. Without states this is a map over tokens. `in_place` and
    `state_index` are as in `qdelta.affine_scan` /*prescan_c6*/. docs/Spec.md, The
    affine phase.
  }];
  let arguments = (ins Index:$heads, Variadic<AnyRankedTensor>:$tokens,
                       Variadic<AnyRankedTensor>:$params,
                       Variadic<AnyRankedTensor>:$inits,
                       Optional<QDelta_CuSeqlens>:$cu_seqlens,
                       Optional<QDelta_StateIndex>:$state_index,
                       UnitAttr:$in_place,
                       StrArrayAttr:$arg_names,
                       OptionalAttr<QDelta_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$outputs,
                      Variadic<AnyRankedTensor>:$finals);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `heads` $heads `(` $tokens `)` (`param` `(` $params^ `)`)?
    (`init` `(` $inits^ `)`)?
    (`cu_seqlens` `(` $cu_seqlens^ `:` type($cu_seqlens) `)`)?
    (`in_place` $in_place^)?
    (`state_index` `(` $state_index^ `:` type($state_index) `)`)?
    attr-dict-with-keyword
    `:` `(` type($tokens) `)` (`param` `(` type($params)^ `)`)?
    (`init` `(` type($inits)^ `)`)? `->` `(` type($outputs) `)`
    (`final` `(` type($finals)^ `)`)? $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The previous values of the states, in the region.
    ::mlir::Block::BlockArgListType getStates() {
      return getBody().getArguments().take_back(getInits().size());
    }
    /// The op that advances each state, in order.
    ::llvm::SmallVector<::qdelta::AdvanceOp> getAdvances();
  }];
}

def QDelta_AdvanceKind : I32EnumAttr<"AdvanceKind", "how a state of a prescan advances", [
    I32EnumAttrCase<"Affine", 0, "affine">,
    I32EnumAttrCase<"MaxPlus", 1, "max_plus">,
    I32EnumAttrCase<"Set", 2, "set">]> {
  let cppNamespace = "::qdelta";
}

// Not Pure: a state is advanced whether or not the token uses its new value.
def QDelta_AdvanceOp : QDelta_Op<"advance", [
    HasParent<"PrescanOp">, AttrSizedOperandSegments,
    AllTypesMatch<["state", "result"]>]> {
  let summary = "the next value of a prescan's state";
  let description = [{
    `affine`: by * state + with. `max_plus`: max(state + by, with). `set`: with,
    whatever the state was. `by` is a scalar or has the state's entries, and
    without it an affine state is multiplied by 1; `with` is of the state's type,
    and without it nothing is added. `max_plus` has both, `set` has `with` alone
    /*advance_c1*/.
  }];
  let arguments = (ins QDelta_AdvanceKind:$kind, QDelta_ScalarOrVector:$state,
                       Optional<QDelta_ScalarOrVector>:$by,
                       Optional<QDelta_ScalarOrVector>:$with);
  let results = (outs QDelta_ScalarOrVector:$result);
  let assemblyFormat = [{
    $kind $state (`by` $by^ `:` type($by))? (`with` $with^ `:` type($with))?
    attr-dict `:` type($state)
  }];
  let hasVerifier = 1;
}

def QDelta_PrescanYieldOp : QDelta_Op<"prescan_yield", [
    Pure, Terminator, HasParent<"PrescanOp">]> {
  let summary = "ends a prescan's token: what its outputs hold for it";
  let arguments = (ins Variadic<QDelta_ScalarOrVector>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // QDELTA_AFFINE_OPS_TD
