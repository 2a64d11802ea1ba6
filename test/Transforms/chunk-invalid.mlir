// RUN: qdelta-opt %s -split-input-file -verify-diagnostics -qdelta-chunk

func.func @no_schedule(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @below {{has no schedule; run -qdelta-select-schedule first}}
  %o, %f = qdelta.affine_scan(%v) init(%S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = true>}
    : (tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x8xf32>
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 4, lanes = 8, unroll = true, fuse = true, defer = false, prefetch = false>
func.func @two_states(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @below {{the chunk form covers lists with one state, but this one has 2}}
  %o, %f:2 = qdelta.affine_scan(%v) init(%S, %S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = true>, schedule = #schedule}
    : (tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>)
    -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x8xf32>
}
