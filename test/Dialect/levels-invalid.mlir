// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// recurrence_c5
// expected-error @below {{expected qdelta.levels = "fenwick" on a scalar token input, but got "dyadic" on %l /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "dyadic"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// recurrence_c5: parameters have no levels.
// expected-error @below {{expected qdelta.levels = "fenwick" on a scalar token input, but got "fenwick" on %l /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>) param(%l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// recurrence_c8
// expected-error @below {{expected one token input with qdelta.levels, but got %l and %m /*recurrence_c8*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}, %m: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// recurrence_c8
// expected-error @below {{has levels, so expected one state, tensor<K x V>, but got 2 states, the first of type 'tensor<?x?xf32>' /*recurrence_c8*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>, %m: f32)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S, %m : tensor<?x?xf32>, f32 out %y : tensor<?xf32>
}

// -----

// recurrence_c8
qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{is applied to what depends on the state of a recurrence with levels, whose outputs are sums over levels: expected sums, negations and qdelta.scale by a token's scalar /*recurrence_c8*/}}
  %o = math.tanh %y : tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %o : tensor<?xf32>
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// scan_c2
func.func @rank(%k: tensor<1x9x1x2xf32>, %l: tensor<1x9x1xf32>, %S: tensor<1x5x2x3xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expected l to have shape [B, T, HV, L], but got 'tensor<1x9x1xf32>' /*scan_c2*/}}
  %o, %f = qdelta.scan @f(%k, %l) init(%S) position(%p : tensor<1xi32>)
    : (tensor<1x9x1x2xf32>, tensor<1x9x1xf32>) init(tensor<1x5x2x3xf32>) -> (tensor<1x9x1x3xf32>) final(tensor<1x5x2x3xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// scan_c7
func.func @few(%k: tensor<1x9x1x2xf32>, %l: tensor<1x9x1x4xf32>, %S: tensor<1x4x2x3xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expected at most 2^(L - 1) tokens, but got T = 9 for L = 4 levels /*scan_c7*/}}
  %o, %f = qdelta.scan @f(%k, %l) init(%S) position(%p : tensor<1xi32>)
    : (tensor<1x9x1x2xf32>, tensor<1x9x1x4xf32>) init(tensor<1x4x2x3xf32>) -> (tensor<1x9x1x3xf32>) final(tensor<1x4x2x3xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// scan_c7
func.func @without(%k: tensor<1x9x1x2xf32>, %l: tensor<1x9x1x5xf32>, %S: tensor<1x5x2x3xf32>) {
  // expected-error @below {{expected a position: @f has levels /*scan_c7*/}}
  %o, %f = qdelta.scan @f(%k, %l) init(%S)
    : (tensor<1x9x1x2xf32>, tensor<1x9x1x5xf32>) init(tensor<1x5x2x3xf32>) -> (tensor<1x9x1x3xf32>) final(tensor<1x5x2x3xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// scan_c7
func.func @states(%k: tensor<1x9x1x2xf32>, %l: tensor<1x9x1x5xf32>, %S: tensor<1x4x2x3xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expected a state for each of L = 5 levels of HV = 1 heads, but got 4 /*scan_c7*/}}
  %o, %f = qdelta.scan @f(%k, %l) init(%S) position(%p : tensor<1xi32>)
    : (tensor<1x9x1x2xf32>, tensor<1x9x1x5xf32>) init(tensor<1x4x2x3xf32>) -> (tensor<1x9x1x3xf32>) final(tensor<1x4x2x3xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// scan_c3
func.func @count(%k: tensor<1x9x1x2xf32>, %l: tensor<1x9x1x5xf32>, %S: tensor<1x5x2x3xf32>, %p: tensor<2xi32>) {
  // expected-error @below {{expected position to have B = 1 as initial state S has, but got 2 /*scan_c3*/}}
  %o, %f = qdelta.scan @f(%k, %l) init(%S) position(%p : tensor<2xi32>)
    : (tensor<1x9x1x2xf32>, tensor<1x9x1x5xf32>) init(tensor<1x5x2x3xf32>) -> (tensor<1x9x1x3xf32>) final(tensor<1x5x2x3xf32>)
  return
}

// -----

qdelta.recurrence @g(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// scan_c7
func.func @position(%k: tensor<1x1x1x2xf32>, %S: tensor<1x1x2x3xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expected no position: @g has no levels /*scan_c7*/}}
  %o, %f = qdelta.step @g(%k) init(%S) position(%p : tensor<1xi32>)
    : (tensor<1x1x1x2xf32>) init(tensor<1x1x2x3xf32>) -> (tensor<1x1x1x3xf32>) final(tensor<1x1x2x3xf32>)
  return
}

// -----

// fenwick_c1
func.func @fenwick(%l: tensor<1x9x1xf32>, %p: tensor<1xi32>) {
  // expected-error @below {{expected sequences [B, T, H, L], but got 'tensor<1x9x1xf32>' /*fenwick_c1*/}}
  %masks:3 = qdelta.fenwick like %l position(%p : tensor<1xi32>) : tensor<1x9x1xf32>
  return
}

// -----

// affine_scan_c7
func.func @list(%k: tensor<1x9x1x2xf32>, %S: tensor<1x1x2x3xf32>) {
  // expected-error @below {{expected a scalar token input with a number for each level, [B, T, H, L] /*affine_scan_c7*/}}
  %o, %f = qdelta.affine_scan(%k) init(%S) levels
    attributes {arg_names = ["k"],
      facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<1x9x1x2xf32>) init(tensor<1x1x2x3xf32>) -> (tensor<1x9x1x3xf32>) final(tensor<1x1x2x3xf32>) {
  ^bb0(%tk: tensor<2xf32>):
    %one = arith.constant 1.0 : f32
    %y = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<2xf32>)
    qdelta.affine_output(%one) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return
}

// -----

// add_levels_c1
func.func @sums(%parts: tensor<1x8x6x4xf32>, %l: tensor<1x8x2x3xf32>) {
  // expected-error @below {{expected parts [B, T, H L, V], numbers [B, T, H, L] and sums [B, T, H, V], but got 'tensor<1x8x6x4xf32>', 'tensor<1x8x2x3xf32>' and 'tensor<1x8x3x4xf32>' /*add_levels_c1*/}}
  %o = qdelta.add_levels %parts like %l : tensor<1x8x6x4xf32>, tensor<1x8x2x3xf32> -> tensor<1x8x3x4xf32>
  return
}
