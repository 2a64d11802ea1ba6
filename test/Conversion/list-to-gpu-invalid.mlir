// RUN: qdelta-opt %s -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false -qdelta-list-to-gpu

#loop = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 4>
#facts = #qdelta.facts<decay = none, reads = 0, writes = 0, bounded = false>
func.func @function(%v: tensor<?x?x?x32xf32>, %S: tensor<?x?x16x32xf32>) -> (tensor<?x?x?x32xf32>, tensor<?x?x16x32xf32>) {
  %o, %f = qdelta.affine_scan(%v) init(%S) attributes {arg_names = ["v"], schedule = #loop, facts = #facts}
    : (tensor<?x?x?x32xf32>) init(tensor<?x?x16x32xf32>) -> (tensor<?x?x?x32xf32>) final(tensor<?x?x16x32xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    // expected-error @below {{'math.tanh' op is not lowered for GPUs yet in the step of a token}}
    %w = math.tanh %tv : tensor<?xf32>
    "qdelta.affine_output"(%one, %w) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x32xf32>, tensor<?x?x16x32xf32>
}

// -----

#loop = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 4>
#facts = #qdelta.facts<decay = none, reads = 0, writes = 0, bounded = false>
func.func @more(%v: tensor<?x?x?x32xf32>, %S: tensor<?x?x16x32xf32>) -> (tensor<?x?x16x32xf32>, tensor<?x?x?x32xf32>) {
  // expected-error @below {{expected a function that is nothing but the list, over its own arguments in order}}
  %o, %f = qdelta.affine_scan(%v) init(%S) attributes {arg_names = ["v"], schedule = #loop, facts = #facts}
    : (tensor<?x?x?x32xf32>) init(tensor<?x?x16x32xf32>) -> (tensor<?x?x?x32xf32>) final(tensor<?x?x16x32xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %f, %o : tensor<?x?x16x32xf32>, tensor<?x?x?x32xf32>
}

// -----

#loop = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 4>
#facts = #qdelta.facts<decay = none, reads = 0, writes = 0, bounded = false>
func.func @shapes(%v: tensor<?x?x?x32xf32>, %S: tensor<?x?x16x32xf32>, %Z: tensor<?x?x8x32xf32>)
    -> (tensor<?x?x?x32xf32>, tensor<?x?x16x32xf32>, tensor<?x?x8x32xf32>) {
  // expected-error @below {{expected states of one shape, but got 'tensor<?x?x16x32xf32>' and 'tensor<?x?x8x32xf32>'}}
  %o, %f, %z = qdelta.affine_scan(%v) init(%S, %Z) attributes {arg_names = ["v"], schedule = #loop, facts = #facts}
    : (tensor<?x?x?x32xf32>) init(tensor<?x?x16x32xf32>, tensor<?x?x8x32xf32>)
      -> (tensor<?x?x?x32xf32>) final(tensor<?x?x16x32xf32>, tensor<?x?x8x32xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o, %f, %z : tensor<?x?x?x32xf32>, tensor<?x?x16x32xf32>, tensor<?x?x8x32xf32>
}
