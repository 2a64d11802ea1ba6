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
    and the list of `affine_decay`, `affine_read`, `affine_write` and
    `affine_output` ops in the order in which they happen. Each names its state
    by number /*affine_scan_c1*/; there is one `affine_output` per output
    /*affine_scan_c2*/ and region arguments match the operands
    /*affine_scan_c3*/, in element types as in `qdelta.scan` /*affine_scan_c4*/.
    `facts` is what the derivation proved, `schedule` what
    `-qdelta-select-schedule` decided. docs/Spec.md, A step is a list.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$tokens,
                       Variadic<AnyRankedTensor>:$params,
                       Variadic<AnyRankedTensor>:$inits,
                       StrArrayAttr:$arg_names,
                       QDelta_FactsAttr:$facts,
                       OptionalAttr<QDelta_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$outputs,
                      Variadic<AnyRankedTensor>:$finals);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `(` $tokens `)` (`param` `(` $params^ `)`)? `init` `(` $inits `)`
    attr-dict-with-keyword `:` `(` type($tokens) `)` (`param` `(` type($params)^ `)`)?
    `init` `(` type($inits) `)` `->` `(` type($outputs) `)` `final` `(` type($finals) `)`
    $body
  }];
  let hasRegionVerifier = 1;
}

def QDelta_AffineDecayOp : QDelta_Op<"affine_decay", [HasParent<"AffineScanOp">]> {
  let summary = "list entry: S <- Diag(e^g) S";
  let arguments = (ins I64Attr:$state, QDelta_ScalarOrVector:$g);
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

#endif // QDELTA_AFFINE_OPS_TD
