// RUN: qdelta-opt %s -mlir-print-op-generic > %t
// RUN: qdelta-opt %s | qdelta-opt -mlir-print-op-generic | diff - %t

// Lists that may be empty read back as they are printed.

// No token, no parameter.
"qdelta.recurrence"() <{sym_name = "silent", arg_names = ["S", "v"], arg_attrs = [{}, {}], num_states = 1 : i64, num_tokens = 0 : i64}> ({
^bb0(%S: tensor<?x?xf32>, %v: tensor<?xf32>):
  "qdelta.yield"(%S, %v) <{operandSegmentSizes = array<i32: 1, 1>}> : (tensor<?x?xf32>, tensor<?xf32>) -> ()
}) : () -> ()

// No write, and an output of nothing, which is 0.
func.func @affine(%v: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  %o, %f = "qdelta.affine_scan"(%v, %S) <{arg_names = ["v"],
      facts = #qdelta.facts<decay = none, reads = 0, writes = 0, bounded = true>,
      operandSegmentSizes = array<i32: 1, 0, 1, 0, 0>, resultSegmentSizes = array<i32: 1, 1>}> ({
  ^bb0(%tv: tensor<?xf32>):
    "qdelta.affine_output"() : () -> ()
    "qdelta.affine_end"() : () -> ()
  }) : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
  return
}

// A list without decays, a chunk whose update serves no reads.
func.func @chunk(%S: tensor<4x8xf32>, %d: f32, %a: tensor<2x4xf32>, %e: tensor<2x8xf32>) {
  %0 = "qdelta.chunk_decay"() <{from = 0 : i64, to = 0 : i64}> : () -> tensor<2x2xf32>
  %1 = "qdelta.chunk_update"(%S, %d, %a, %e) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0>}>
    : (tensor<4x8xf32>, f32, tensor<2x4xf32>, tensor<2x8xf32>) -> tensor<4x8xf32>
  %2 = "qdelta.chunk_update"(%S, %d) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>}>
    : (tensor<4x8xf32>, f32) -> tensor<4x8xf32>
  return
}
