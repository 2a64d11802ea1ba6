// RUN: not qdelta-opt %s -qdelta-select-schedule=target=avx512 2>&1 | FileCheck %s

// Numbers of levels that a caller makes are no tree's.

// CHECK: error: expected numbers of levels that qdelta.fenwick makes
func.func @own(%k: tensor<?x?x?x2xf32>, %v: tensor<?x?x?x3xf32>, %l: tensor<?x?x?x?xf32>, %S: tensor<?x?x2x3xf32>)
    -> (tensor<?x?x?x3xf32>, tensor<?x?x2x3xf32>) {
  %0:2 = qdelta.affine_scan(%k, %v, %l) init(%S) levels
      attributes {arg_names = ["k", "v", "l"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
      : (tensor<?x?x?x2xf32>, tensor<?x?x?x3xf32>, tensor<?x?x?x?xf32>) init(tensor<?x?x2x3xf32>)
      -> (tensor<?x?x?x3xf32>) final(tensor<?x?x2x3xf32>) {
  ^bb0(%key: tensor<?xf32>, %value: tensor<?xf32>, %level: f32):
    %one = arith.constant 1.0 : f32
    qdelta.affine_write 0 key %key value (%one) * (%value) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    %1 = qdelta.affine_read 0 at (%one) * (%key) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%level) * (%1) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %0#0, %0#1 : tensor<?x?x?x3xf32>, tensor<?x?x2x3xf32>
}
