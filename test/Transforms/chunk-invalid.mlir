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

#deferred = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 4, lanes = 8, unroll = true, fuse = false, defer = true, prefetch = false>
func.func @deferred(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @below {{deferred decays are those of one state, or of states in rows that one pass updates and that decay as a whole, but this list has 2 states and its schedule says unroll = true, fuse = false}}
  %o, %f:2 = qdelta.affine_scan(%v) init(%S, %S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = true>, schedule = #deferred}
    : (tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>)
    -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x8xf32>
}

// -----

#kernel = #qdelta.schedule<target = "sm_80", chunk = 16, columns = 8, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "tf32">
func.func @kernel(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @below {{GPU kernels in chunks cover lists with one state, but this one has 2}}
  %o, %f:2 = qdelta.affine_scan(%v) init(%S, %S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = true>, schedule = #kernel}
    : (tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>)
    -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x8xf32>
}

// -----

#plain = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 4, lanes = 8, unroll = true, fuse = true, defer = false, prefetch = false>
func.func @shapes(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>, %M: tensor<?x?x5x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @below {{the chunk form covers states of one shape and element type, but got 'tensor<?x?x4x8xf32>' and 'tensor<?x?x5x8xf32>'}}
  %o, %f:2 = qdelta.affine_scan(%v) init(%S, %M)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = true>, schedule = #plain}
    : (tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>, tensor<?x?x5x8xf32>)
    -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>, tensor<?x?x5x8xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x8xf32>
}

// -----

#plain = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 4, lanes = 8, unroll = true, fuse = true, defer = false, prefetch = false>
func.func @channels(%v: tensor<?x?x?x8xf32>, %g: tensor<?x?x?x4xf32>, %c: tensor<?x?x?xf32>, %S: tensor<?x?x4x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @below {{chunks of several tokens cover mixes of states that decay as a whole: with decays per key or value channel, expected chunks of 1 token, but got 2}}
  %o, %f:2 = qdelta.affine_scan(%v, %g, %c) init(%S, %S)
    attributes {arg_names = ["v", "g", "c"], facts = #qdelta.facts<decay = per_channel, reads = 0, writes = 1, unknown = [false], bounded = false>, schedule = #plain}
    : (tensor<?x?x?x8xf32>, tensor<?x?x?x4xf32>, tensor<?x?x?xf32>) init(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>)
    -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>, %tg: tensor<?xf32>, %tc: f32):
    qdelta.affine_decay 0 by %tg : tensor<?xf32>
    qdelta.affine_mix 0 with 1 by %tc : f32
    qdelta.affine_output(%tc) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x8xf32>
}
