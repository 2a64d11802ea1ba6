// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// affine_scan_c1
func.func @state(%k: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  %o, %f = qdelta.affine_scan(%k) init(%S)
    attributes {arg_names = ["k"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    // expected-error @below {{names state 1 of 1 /*affine_scan_c1*/}}
    %y = "qdelta.affine_read"(%one, %tk) <{state = 1}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// affine_scan_c1
func.func @state(%k: tensor<?x?x?x?xf32>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  %o, %f = qdelta.affine_scan(%k, %g) init(%S)
    attributes {arg_names = ["k", "g"], facts = #qdelta.facts<decay = scalar, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tg: f32):
    // expected-error @below {{names state -1 of 1 /*affine_scan_c1*/}}
    qdelta.affine_decay -1 by %tg : f32
    "qdelta.affine_output"(%tg, %tk) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// affine_scan_c1
func.func @state(%k: tensor<?x?x?x?xf32>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  %o, %f = qdelta.affine_scan(%k, %g) init(%S)
    attributes {arg_names = ["k", "g"], facts = #qdelta.facts<decay = scalar, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tg: f32):
    // expected-error @below {{names state 2 of 1 /*affine_scan_c1*/}}
    "qdelta.affine_write"(%tk, %tg, %tk) <{state = 2, operandSegmentSizes = array<i32: 1, 1, 1>}> : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    "qdelta.affine_output"(%tg, %tk) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// affine_scan_c2
func.func @outputs(%v: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected one qdelta.affine_output for each of 1 outputs, but got 2 /*affine_scan_c2*/}}
  %o, %f = qdelta.affine_scan(%v) init(%S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// affine_scan_c3: counts.
func.func @arguments(%v: tensor<?x?x?x?xf32>, %s: tensor<?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{has 1 region arguments for 1 token inputs and 1 parameters /*affine_scan_c3*/}}
  %o, %f = qdelta.affine_scan(%v) param(%s) init(%S)
    attributes {arg_names = ["v", "s"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>) param(tensor<?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// affine_scan_c3: ranks of a token input.
func.func @rank(%v: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected operand 0 to have rank 4, but got 'tensor<?x?x?xf32>' /*affine_scan_c3*/}}
  %o, %f = qdelta.affine_scan(%v) init(%S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// affine_scan_c3: ranks of a parameter.
func.func @rank(%v: tensor<?x?x?x?xf32>, %s: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected operand 1 to have rank 1, but got 'tensor<?x?xf32>' /*affine_scan_c3*/}}
  %o, %f = qdelta.affine_scan(%v) param(%s) init(%S)
    attributes {arg_names = ["v", "s"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tv: tensor<?xf32>, %ts: f32):
    "qdelta.affine_output"(%ts, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// affine_write_c1
func.func @terms(%v: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  %o, %f = qdelta.affine_scan(%v) init(%S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    // expected-error @below {{has 1 coefficients for 2 terms /*affine_write_c1*/}}
    "qdelta.affine_write"(%tv, %one, %tv, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 2>}>
      : (tensor<?xf32>, f32, tensor<?xf32>, tensor<?xf32>) -> ()
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// A readout enters linear combinations only: no other op takes it.
func.func @readout(%k: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  %o, %f = qdelta.affine_scan(%k) init(%S)
    attributes {arg_names = ["k"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    // expected-error @below {{'math.tanh' op operand #0 must be floating-point-like, but got '!qdelta.readout'}}
    %z = "math.tanh"(%y) : (!qdelta.readout) -> !qdelta.readout
    "qdelta.affine_output"(%one, %z) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return
}

// -----

// List entries stand in a list.
func.func @outside(%g: f32) {
  // expected-error @below {{expects parent op 'qdelta.affine_scan'}}
  qdelta.affine_decay 0 by %g : f32
  return
}

// -----

// expected-error @below {{chunk, columns, span and lanes must be at least 1, but got 0, 16, 1, 8}}
#schedule = #qdelta.schedule<target = "avx2", chunk = 0, columns = 16, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = true>

// -----

// expected-error @below {{expected split to be a power of two of at most 32, but got 24}}
#schedule = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 16, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 24>

// -----

// expected-error @below {{expected lanes of a token loop to be 1, 2 or 4, but got 8}}
#schedule = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 8, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 8>

// -----

// expected-error @below {{expected columns of a token loop to be a multiple of a warp's 16, but got 40}}
#schedule = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 40, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 8>

// -----

// affine_scan_c1: the state that is added.
func.func @source(%v: tensor<?x?x?x8xf32>, %c: tensor<?x?x?xf32>, %S: tensor<?x?x4x8xf32>) {
  %o, %f = qdelta.affine_scan(%v, %c) init(%S)
    attributes {arg_names = ["v", "c"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x8xf32>, tensor<?x?x?xf32>) init(tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>, %tc: f32):
    // expected-error @below {{names state 1 of 1 /*affine_scan_c1*/}}
    qdelta.affine_mix 0 with 1 by %tc : f32
    qdelta.affine_output(%tc) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}

// -----

// affine_mix_c1
func.func @itself(%v: tensor<?x?x?x8xf32>, %c: tensor<?x?x?xf32>, %S: tensor<?x?x4x8xf32>) {
  %o, %f = qdelta.affine_scan(%v, %c) init(%S)
    attributes {arg_names = ["v", "c"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x8xf32>, tensor<?x?x?xf32>) init(tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>, %tc: f32):
    // expected-error @below {{expected two states, but got state 0 twice /*affine_mix_c1*/}}
    qdelta.affine_mix 0 with 0 by %tc : f32
    qdelta.affine_output(%tc) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}

// -----

// affine_mix_c1: one type.
func.func @types(%v: tensor<?x?x?x8xf32>, %c: tensor<?x?x?xf32>, %S: tensor<?x?x4x8xf32>, %M: tensor<?x?x5x8xf32>) {
  %o, %f:2 = qdelta.affine_scan(%v, %c) init(%S, %M)
    attributes {arg_names = ["v", "c"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x8xf32>, tensor<?x?x?xf32>) init(tensor<?x?x4x8xf32>, tensor<?x?x5x8xf32>)
    -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>, tensor<?x?x5x8xf32>) {
  ^bb0(%tv: tensor<?xf32>, %tc: f32):
    // expected-error @below {{expected states of one type, but got 'tensor<?x?x4x8xf32>' and 'tensor<?x?x5x8xf32>' /*affine_mix_c1*/}}
    qdelta.affine_mix 0 with 1 by %tc : f32
    qdelta.affine_output(%tc) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}
