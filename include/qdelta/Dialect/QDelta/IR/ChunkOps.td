//===- ChunkOps.td - a chunk of tokens as one system ---------*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_CHUNK_OPS_TD
#define QDELTA_CHUNK_OPS_TD

include "qdelta/Dialect/QDelta/IR/AffineOps.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"

// In this file C is the number of tokens of a chunk, K the key dimension, W the
// number of value columns in a block. A *tile* holds one row per token of the
// chunk: tensor<C> for scalars, tensor<C x D> for vectors.

def QDelta_LoadTileOp : QDelta_Op<"load_tile", [NoMemoryEffect, AttrSizedOperandSegments]> {
  let summary = "the chunk's rows of a sequence, a parameter or a state";
  let description = [{
    From a sequence [B, T, H] or [B, T, H, D] at `[b, t, h]`: rows t .. t+C-1 of
    batch entry b and head h; tokens past the last repeat the last one. From a
    parameter [H] or [H, D] at `[h]`: C times the same row. From a state
    [B, HV, K, V] at `[b, h]`: its first C rows; rows past K are 0
    /*load_tile_c1*/. For vectors, `columns` is the first of the tile's D'
    columns (0 if absent); columns past the source's last are 0. Elements of a
    bf16 or f16 source become f32; of others they stay what they are
    /*load_tile_c2*/.
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$indices,
                       Optional<Index>:$column);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` (`columns` $column^)? attr-dict `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def QDelta_StoreTileOp : QDelta_Op<"store_tile", [
    Pure, AllTypesMatch<["dest", "result"]>]> {
  let summary = "writes a tile into a sequence or a state";
  let description = [{
    Rows t .. t+C-1 of a sequence at `[b, t, h]`, or the first C rows of a state
    at `[b, h]` /*store_tile_c1*/, become the tile's in columns from `columns`
    on; rows and columns past the last are dropped. Elements stored to bf16 or
    f16 are rounded to nearest, ties to even /*store_tile_c2*/.
  }];
  let arguments = (ins AnyStaticShapeTensor:$tile, AnyRankedTensor:$dest,
                       Variadic<Index>:$indices, Index:$column);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $tile `into` $dest `[` $indices `]` `columns` $column attr-dict `:` type($tile) `,` type($dest)
  }];
  let hasVerifier = 1;
}

def QDelta_PrefetchOp : QDelta_Op<"prefetch", []> {
  let summary = "a hint that some columns of a token's row are needed soon";
  let description = [{
    Columns `column` .. `column + width - 1` of the rows t .. t+rows-1 at
    `[b, t, h]`; those past the last token are hinted at as if they were there, and
    no such hint is an error. No effect on results.
    Of a state [B, HV, K, V], with one row, `[b, h, k]`.
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$indices,
                       Index:$column, I64Attr:$rows, I64Attr:$width,
                       UnitAttr:$for_write);
  let assemblyFormat = [{
    $source `[` $indices `]` `columns` $column `by` $width `rows` $rows
    (`for_write` $for_write^)? attr-dict `:` type($source)
  }];
  let hasVerifier = 1;
}

def QDelta_ChunkValidOp : QDelta_Op<"chunk_valid", [Pure]> {
  let summary = "which tokens of a chunk exist: t + i < T";
  let arguments = (ins Index:$first, Index:$length);
  let results = (outs 1DTensorOf<[I1]>:$result);
  let assemblyFormat = "$first `of` $length attr-dict `:` type($result)";
}

def QDelta_MaskRowsOp : QDelta_Op<"mask_rows", [
    Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "a tile with 0 in the rows of tokens that do not exist";
  let description = [{
    Row t is the tile's where `valid` [C] is true, and 0 elsewhere, whatever the
    tile holds there /*mask_rows_c1*/.
  }];
  let arguments = (ins AnyStaticShapeTensor:$tile, 1DTensorOf<[I1]>:$valid);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$tile `by` $valid attr-dict `:` type($tile) `,` type($valid)";
  let hasVerifier = 1;
}

def QDelta_ScaleChannelsOp : QDelta_Op<"scale_channels", [
    Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "a tile of key vectors times one factor per key channel";
  let description = [{
    Every row of the tile [C x K] times the row `by` [1 x K], element by element
    /*scale_channels_c1*/. `qdelta.scale` has one factor per row instead.
  }];
  let arguments = (ins AnyStaticShapeTensor:$tile, AnyStaticShapeTensor:$by);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$tile `by` $by attr-dict `:` type($tile) `,` type($by)";
  let hasVerifier = 1;
}

def QDelta_AnyOutsideOp : QDelta_Op<"any_outside", [Pure]> {
  let summary = "whether an element is outside [low, high], or no number";
  let description = [{
    Tells when decays that run on per key channel have to be renewed
    (docs/Decisions/0004).
  }];
  let arguments = (ins AnyStaticShapeTensor:$tile, F64Attr:$low, F64Attr:$high);
  let results = (outs I1:$result);
  let assemblyFormat = "$tile `low` $low `high` $high attr-dict `:` type($tile)";
}

def QDelta_ChunkDecayOp : QDelta_Op<"chunk_decay", [Pure]> {
  let summary = "decay between two places of a chunk's list";
  let description = [{
    `logs` holds the logs of decays of the token's list, in order: one number a
    token as a tile [C], or one per channel as a tile [C x K]. A place p of
    token t stands after the first p of these decays of that token's list. The
    result is e^(sum of the logs between two places), at most 1. For logs [C]:
    * `from` p and `to` q: [C x C]; entry (t, s) runs from place p of token s to
      place q of token t, and is 0 unless s < t, or s = t with `inclusive`;
    * `to` q alone: [C], from the chunk's start;
    * `from` p alone: [C], to the chunk's end;
    * neither: a scalar, the whole chunk; of type f64 if the product is to run on
      over chunks.
    For logs [C x K] the result has one such number per channel: [C x K] with
    `to` or `from` alone, [1 x K] with neither. Between two places within the
    chunk there is no such tile: `chunk_gram` takes these logs itself, those of
    value channels, [C x W], `chunk_apply`.
    /*chunk_decay_c1*/
    Sums run over the decays in between only, never over differences of
    cumulative sums, so that -inf is an ordinary log. docs/Spec.md, The chunk form.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$logs, OptionalAttr<I64Attr>:$from,
                       OptionalAttr<I64Attr>:$to, UnitAttr:$inclusive);
  let results = (outs AnyTypeOf<[F32, F64, AnyRankedTensor]>:$result);
  let assemblyFormat = [{
    `(` $logs `)` (`from` $from^)? (`to` $to^)? (`inclusive` $inclusive^)? attr-dict
    `:` (`(` type($logs)^ `)`)? `->` type($result)
  }];
  let hasVerifier = 1;
}

def QDelta_ChunkTransferOp : QDelta_Op<"chunk_transfer", [Pure]> {
  let summary = "what of one coupled state is part of another at a later place";
  let description = [{
    `steps` are what changes the states of the token's list between writes, in
    order, as tiles [C]: step n is the log of a decay of state `targets[n]` if
    `sources[n]` is the same state, and else the coefficient c of a mix,
    S_target += c S_source. A place p of token t stands after the first p steps
    of that token. The result is the number by which the state `of` at the first
    place is part of the state `into` at the second, all else being 0: an entry
    of the product of the steps in between, each a matrix over the states.
    `from`, `to`, `inclusive` and the result's shape are those of `chunk_decay`,
    for logs [C] /*chunk_transfer_c1*/. The product is built up step by step:
    nothing is divided, and exponents are those of single logs.
  }];
  let arguments = (ins I64Attr:$of, I64Attr:$into,
                       Variadic<1DTensorOf<[F32, F64]>>:$steps,
                       DenseI64ArrayAttr:$targets, DenseI64ArrayAttr:$sources,
                       OptionalAttr<I64Attr>:$from, OptionalAttr<I64Attr>:$to,
                       UnitAttr:$inclusive);
  let results = (outs AnyTypeOf<[F32, F64, AnyRankedTensor]>:$result);
  let assemblyFormat = [{
    $of `into` $into `through` `(` $steps `)` `targets` $targets `sources` $sources
    (`from` $from^)? (`to` $to^)? (`inclusive` $inclusive^)? attr-dict
    `:` `(` type($steps) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def QDelta_ChunkGramOp : QDelta_Op<"chunk_gram", [Pure]> {
  let summary = "X A^T: products of the chunk's reads with its writes";
  let description = [{
    Without logs: X A^T, reads X [C x K] and writes A [C' x K], all pairs. With
    `logs`, decays per key channel as tiles [C x K], entry (t, s) is
    sum_k x_tk a_sk e^(sum of channel k's logs from place p of token s to place q
    of token t), and 0 unless s < t, or s = t with `inclusive`
    /*chunk_gram_c1*/. No exponent is positive if no log is.
  }];
  let arguments = (ins AnyStaticShapeTensor:$reads, AnyStaticShapeTensor:$writes,
                       Variadic<AnyStaticShapeTensor>:$logs,
                       OptionalAttr<I64Attr>:$from, OptionalAttr<I64Attr>:$to,
                       UnitAttr:$inclusive);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $reads `,` $writes (`decays` `(` $logs^ `)` `from` $from `to` $to)?
    (`inclusive` $inclusive^)? attr-dict
    `:` type($reads) `,` type($writes) (`decays` `(` type($logs)^ `)`)? `->` type($result)
  }];
  let builders = [OpBuilder<(ins "mlir::Type":$type, "mlir::Value":$reads, "mlir::Value":$writes)>];
  let hasVerifier = 1;
}

def QDelta_ChunkReadOp : QDelta_Op<"chunk_read", [Pure]> {
  let summary = "X S: the chunk's reads of the state at its start";
  let arguments = (ins AnyStaticShapeTensor:$keys, AnyStaticShapeTensor:$state);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$keys `,` $state attr-dict `:` type($keys) `,` type($state) `->` type($result)";
  let hasVerifier = 1;
}

def QDelta_ChunkApplyOp : QDelta_Op<"chunk_apply", [
    Pure, AllTypesMatch<["values", "init", "result"]>]> {
  let summary = "init + L E with L lower triangular";
  let description = [{
    L [C x C] is strictly lower triangular, or has a diagonal with `inclusive`;
    E and `init` are [C x W]. With `logs`, decays per value channel as tiles
    [C x W], column c of entry (t, s) of L also has the factor e^(sum of column
    c's logs from place p of token s to place q of token t) /*chunk_apply_c1*/;
    places are those of `chunk_decay`. No exponent is positive if no log is.
  }];
  let arguments = (ins AnyStaticShapeTensor:$matrix, AnyStaticShapeTensor:$values,
                       AnyStaticShapeTensor:$init,
                       Variadic<AnyStaticShapeTensor>:$logs,
                       OptionalAttr<I64Attr>:$from, OptionalAttr<I64Attr>:$to,
                       UnitAttr:$inclusive);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $matrix `,` $values `onto` $init (`decays` `(` $logs^ `)` `from` $from `to` $to)?
    (`inclusive` $inclusive^)? attr-dict `:` type($matrix) `,` type($values)
    (`decays` `(` type($logs)^ `)`)?
  }];
  let builders = [OpBuilder<(ins "mlir::Value":$matrix, "mlir::Value":$values,
                                 "mlir::Value":$init, "bool":$inclusive)>];
  let hasVerifier = 1;
}

def QDelta_ChunkSolveOp : QDelta_Op<"chunk_solve", [
    Pure, AttrSizedOperandSegments]> {
  let summary = "the chunk's unit lower triangular system";
  let description = [{
    Solves E_j = R_j + sum_w L_jw E_w for the chunk's unknown writes, W right-hand
    sides R_j [C x W] and W * W blocks L_jw [C x C], row by row. Unknowns are
    ordered by token, then by place in the list: L_jw is strictly lower
    triangular for w >= j and may have a diagonal for w < j
    /*chunk_solve_c1*/: (I - M B) E = D + M Xh S_0 (docs/Spec.md, The chunk form).
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$blocks,
                       Variadic<AnyStaticShapeTensor>:$rhs);
  let results = (outs Variadic<AnyStaticShapeTensor>:$results);
  let assemblyFormat = [{
    `blocks` `(` $blocks `)` `rhs` `(` $rhs `)` attr-dict
    `:` `(` type($blocks) `)` `,` `(` type($rhs) `)` `->` type($results)
  }];
  let hasVerifier = 1;
}

def QDelta_ChunkInverseOp : QDelta_Op<"chunk_inverse", [Pure]> {
  let summary = "the inverse of the chunk's unit lower triangular system";
  let description = [{
    The blocks T_jw of T = (I - L)^-1 for the system of `chunk_solve`, whose
    results are E_j = sum_w T_jw R_w. W * W blocks L_jw [C x C], as there, give
    as many blocks T_jw, in the same order /*chunk_inverse_c1*/ and of the same
    type /*chunk_inverse_c2*/. T is unit lower triangular in the order of the
    unknowns, which is by token, then by place in the list: T_jw has a diagonal
    for w <= j, of ones for w = j, and is strictly lower triangular for w > j.
    With `bounded` the entries of T are known to be at most 1 in size, which
    allows a short number format for the products that make it.
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$blocks,
                       UnitAttr:$bounded);
  let results = (outs Variadic<AnyStaticShapeTensor>:$results);
  let assemblyFormat = [{
    `blocks` `(` $blocks `)` (`bounded` $bounded^)? attr-dict
    `:` `(` type($blocks) `)` `->` type($results)
  }];
  let hasVerifier = 1;
}

def QDelta_ChunkUpdateOp : QDelta_Op<"chunk_update", [
    Pure, AttrSizedOperandSegments]> {
  let summary = "S' = decay S + sum_j f_j S_j + sum_w A_w^T E_w, and reads of S'";
  let description = [{
    `keys` A_w [C x K] and `values` E_w [C x W] pair up; the first result is the
    state after the chunk, [K x W]. With `channels` [1 x K] row k of S decays by
    its own factor, too /*chunk_update_c1*/, and with `columns` [1 x W] column c
    by its own /*chunk_update_c4*/; with `when`, only if that is true. `others` are coupled states S_j as they were before the
    chunk, each with a factor /*chunk_update_c2*/. Without `columns` all A_w and
    X_r may be bf16 where the state is f32: values and the state are rounded to bf16 in products then, which add up
    in f32.
    `reads` X_r [C x K] are usually those of the *next* chunk: the other results
    are X_r S', so that one pass over the state serves the update of a chunk and
    the reads of the following one. `ahead` [b, h, c] is a hint: the columns of a
    state [B, HV, K, V] from c on, as many as this one has, are next
    /*chunk_update_c3*/.
  }];
  let arguments = (ins AnyStaticShapeTensor:$state, QDelta_Scalar:$decay,
                       Optional<AnyStaticShapeTensor>:$channels, Optional<I1>:$when,
                       Optional<AnyStaticShapeTensor>:$columns,
                       Variadic<AnyStaticShapeTensor>:$others,
                       Variadic<QDelta_Scalar>:$factors,
                       Variadic<AnyStaticShapeTensor>:$keys,
                       Variadic<AnyStaticShapeTensor>:$values,
                       Variadic<AnyStaticShapeTensor>:$reads,
                       Optional<AnyRankedTensor>:$ahead, Variadic<Index>:$ahead_at);
  let results = (outs AnyStaticShapeTensor:$result,
                      Variadic<AnyStaticShapeTensor>:$readouts);
  let assemblyFormat = [{
    $state `decay` $decay (`channels` $channels^)? (`when` $when^)?
    (`columns` $columns^)? (`with` `(` $others^ `)` `by` `(` $factors `)`)?
    `keys` `(` $keys `)` `values` `(` $values `)` `reads` `(` $reads `)`
    (`ahead` $ahead^ `[` $ahead_at `]`)? attr-dict `:` type($state) `,` type($decay) (`channels` type($channels)^)?
    (`columns` type($columns)^)? (`with` `(` type($others)^ `)` `by` `(` type($factors) `)`)?
    (`keys` `(` type($keys)^ `)`)?
    (`values` `(` type($values)^ `)`)? (`reads` `(` type($reads)^ `)`)?
    (`ahead` type($ahead)^)? `->`
    type($result) (`,` `(` type($readouts)^ `)`)?
  }];
  let hasVerifier = 1;
}

def QDelta_TriangularSolveOp : QDelta_Op<"triangular_solve", [
    Pure, AllTypesMatch<["rhs", "result"]>]> {
  let summary = "X with (I - L) X = R, L strictly lower triangular";
  let description = [{
    L [N x N], of which only the part below the diagonal is read; R and X are
    [N x W]. Row by row, in the element type of R.
  }];
  let arguments = (ins AnyStaticShapeTensor:$matrix, AnyStaticShapeTensor:$rhs);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$matrix `,` $rhs attr-dict `:` type($matrix) `,` type($rhs)";
  let hasVerifier = 1;
}

#endif // QDELTA_CHUNK_OPS_TD
