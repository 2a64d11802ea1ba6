//===- QDeltaDialect.td - the dialect, its types and attributes -*- tablegen -*-===//
//
// Part of qdelta, under the Apache License 2.0 (see LICENSE).
//
//===----------------------------------------------------------------------===//

#ifndef QDELTA_DIALECT_TD
#define QDELTA_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/EnumAttr.td"

def QDelta_Dialect : Dialect {
  let name = "qdelta";
  let cppNamespace = "::qdelta";
  let summary = "Linear-attention recurrences, from the token step to chunks";
  let description = [{
    A recurrence is a straight-line list of decays, reads and writes of a
    matrix state, in which a written value is linear in earlier reads. The
    dialect holds that list at three levels: the step of one token as the user
    writes it (`qdelta.recurrence`), the proven list with every linear map
    explicit (`qdelta.affine_scan`), and the chunk form with its unit lower
    triangular system (the `chunk_*` ops). `docs/Spec.md` states the meaning of
    every op; the labels in its constraints, in the verifiers and in the tests
    are the same.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def QDelta_ReadoutType : TypeDef<QDelta_Dialect, "Readout"> {
  let mnemonic = "readout";
  let summary = "what a read of the state returned: usable in linear maps only";
  let description = [{
    The value vector y = S^T x of an `affine_read`. No op but the linear
    combinations of `affine_write` and `affine_output` takes it, so an affine
    list cannot even be written down for a step that is not affine in its state.
  }];
}

def QDelta_DecayKind : I32EnumAttr<"DecayKind", "how the state of a list decays", [
    I32EnumAttrCase<"None", 0, "none">,
    I32EnumAttrCase<"Constant", 1, "constant">,
    I32EnumAttrCase<"Scalar", 2, "scalar">,
    I32EnumAttrCase<"PerChannel", 3, "per_channel">,
    I32EnumAttrCase<"PerValueChannel", 4, "per_value_channel">]> {
  let cppNamespace = "::qdelta";
  let genSpecializedAttr = 0;
}

def QDelta_FactsAttr : AttrDef<QDelta_Dialect, "Facts"> {
  let mnemonic = "facts";
  let summary = "what the derivation knows about a list";
  let description = [{
    * `decay`: the strongest kind among the list's decays. `constant` means that
      no decay depends on a token input, `per_channel` one number per key channel,
      `per_value_channel` one per value channel.
    * `reads`, `writes`: distinct key vectors that the state is read at, after
      sharing of base sequences, and the number of writes. 2 (reads + writes) K V is
      the list's floating-point floor for one token.
    * `unknown`: for each write, in order, whether its value uses a read.
    * `bounded`: every unknown write is read back at its own key, a unit vector,
      with a coefficient in [-1, 0], and the list's decays are not positive:
      entries of the inverse of the chunk system are then at most 1 in size
      (docs/Spec.md, Attributes).
  }];
  let parameters = (ins
    EnumParameter<QDelta_DecayKind>:$decay,
    "int64_t":$reads,
    "int64_t":$writes,
    OptionalArrayRefParameter<"bool">:$unknown,
    "bool":$bounded);
  let assemblyFormat = [{
    `<` `decay` `=` $decay `,` `reads` `=` $reads `,` `writes` `=` $writes `,`
    (`unknown` `=` `[` $unknown^ `]` `,`)? `bounded` `=` $bounded `>`
  }];
}

def QDelta_ScheduleAttr : AttrDef<QDelta_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "every decision about how a list runs, made once";
  let description = [{
    * `target`: the row of the target table that the decisions were made for.
    * `chunk`: tokens a chunk; 1 is the recurrent schedule.
    * `columns`: value columns of the state handled together (a value block).
    * `span`: chunks whose token-local part is made ahead, shared by all blocks.
    * `lanes`: lanes of a vector register, in the list's element type.
    * `unroll`: chunks are expanded into rows, so that a chunk's system is
      solved in registers; otherwise chunk tiles are matrices.
    * `fuse`: the update of a chunk and the reads of the next are one pass.
    * `defer`: the stored state is S divided by its running decay.
    * `prefetch`: sequences are prefetched one span ahead.
    * `kernel`: every value block is a program of its own that carries its part
      of the state as one value, and the chunk's system is inverted once.
    * `operands`: the number format (bf16, f16, tf32) that tiles are rounded to
      where they enter a product; products add up in f32. Empty: f32.
    * `split`: threads that share a value column, each with its part of the key
      channels.

    A kernel whose chunk is one token runs the list itself, token by token, and
    has no chunk form: its threads hold `lanes` adjacent columns each. A prescan
    that is a kernel has `span` tokens a warp if they are made in parallel.
  }];
  let parameters = (ins
    StringRefParameter<>:$target,
    "int64_t":$chunk,
    "int64_t":$columns,
    "int64_t":$span,
    "int64_t":$lanes,
    "bool":$unroll,
    "bool":$fuse,
    "bool":$defer,
    "bool":$prefetch,
    DefaultValuedParameter<"bool", "false">:$kernel,
    StringRefParameter<"", "\"\"">:$operands,
    DefaultValuedParameter<"int64_t", "1">:$split);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The list itself is the kernel, token by token.
    bool isTokenLoop() const { return getKernel() && getChunk() == 1; }
  }];
}

#endif // QDELTA_DIALECT_TD
