// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// decay_c1
func.func @decay(%a: tensor<4xf32>, %g: tensor<3xf32>) {
  // expected-error @below {{expected g to be a scalar or to have the entries of 'tensor<4xf32>', but got 'tensor<3xf32>' /*decay_c1*/}}
  %0 = qdelta.decay %a by %g : tensor<4xf32>, tensor<3xf32>
  return
}

// -----

// decay_c1: a scalar does not decay by a vector.
func.func @decay(%a: f32, %g: tensor<3xf32>) {
  // expected-error @below {{but got 'tensor<3xf32>' /*decay_c1*/}}
  %0 = qdelta.decay %a by %g : f32, tensor<3xf32>
  return
}

// -----

// max_plus_c1
func.func @max_plus(%m: tensor<4xf32>, %f: tensor<3xf32>) {
  // expected-error @below {{expected decay to be a scalar or to have the entries of 'tensor<4xf32>', but got 'tensor<3xf32>' /*max_plus_c1*/}}
  %0 = qdelta.max_plus %m decay %f input %m : tensor<4xf32>, tensor<3xf32>
  return
}

// -----

// splat_c1
func.func @splat(%x: tensor<3xf32>, %y: tensor<2x5xf32>) {
  // expected-error @below {{expected a value with the shape of 'tensor<2x5xf32>' less its last dimension, but got 'tensor<3xf32>' /*splat_c1*/}}
  %0 = qdelta.splat %x like %y : tensor<3xf32>, tensor<2x5xf32>
  return
}

// -----

// dot_c1
func.func @dot(%x: tensor<2x5xf32>) {
  // expected-error @below {{expected a result with the shape of 'tensor<2x5xf32>' less its last dimension, but got 'f32' /*dot_c1*/}}
  %0 = qdelta.dot %x, %x : tensor<2x5xf32> -> f32
  return
}

// -----

// mean_c1
func.func @mean(%x: tensor<5xf32>) {
  // expected-error @below {{expected a result with the shape of 'tensor<5xf32>' less its last dimension, but got 'f64' /*mean_c1*/}}
  %0 = qdelta.mean %x : tensor<5xf32> -> f64
  return
}

// -----

// rotate_c1: channels come in pairs.
func.func @rotate(%x: tensor<5xf32>, %c: tensor<2xf32>) {
  // expected-error @below {{expected an even number of channels and cos and sin of half as many, but got 'tensor<5xf32>' and 'tensor<2xf32>' /*rotate_c1*/}}
  %0 = qdelta.rotate %x by %c, %c : tensor<5xf32>, tensor<2xf32>
  return
}

// -----

// rotate_c1
func.func @rotate(%x: tensor<6xf32>, %c: tensor<2xf32>) {
  // expected-error @below {{/*rotate_c1*/}}
  %0 = qdelta.rotate %x by %c, %c : tensor<6xf32>, tensor<2xf32>
  return
}

// -----

// recurrence_c6: a value vector is not rotated.
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %c: tensor<?xf32>) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  // expected-error @below {{expected to rotate a key vector [K] by vectors [K/2] that are nothing else /*recurrence_c6*/}}
  %r = qdelta.rotate %v by %c, %c : tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %S1 : tensor<?x?xf32> out %r : tensor<?xf32>
}

// -----

// recurrence_c6
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %c: tensor<?xf32>) {
  %r = qdelta.rotate %k by %c, %c : tensor<?xf32>, tensor<?xf32>
  %S1 = qdelta.write %S key %r value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  // expected-error @below {{mixes a key vector [K] with a vector over pairs [K/2] /*recurrence_c6*/}}
  %x = arith.addf %c, %k : tensor<?xf32>
  qdelta.yield state %S1 : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// scan_c2: the shape of a vector state.
qdelta.recurrence @f(state %z: tensor<?xf32>, %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %z1 = arith.addf %z, %k : tensor<?xf32>
  %S1 = qdelta.write %S key %z1 value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %z1, %S1 : tensor<?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}
func.func @scan(%k: tensor<?x?x?x?xf32>, %z: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected initial state z to have shape [B, HV, K], but got 'tensor<?x?xf32>' /*scan_c2*/}}
  %0:3 = qdelta.scan @f(%k, %k) init(%z, %S) : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) init(tensor<?x?xf32>, tensor<?x?x?x?xf32>)
    -> (tensor<?x?x?x?xf32>) final(tensor<?x?xf32>, tensor<?x?x?x?xf32>)
  return
}

// -----

// scan_c3: K is twice the number of its pairs.
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %c: tensor<?xf32>) {
  %r = qdelta.rotate %k by %c, %c : tensor<?xf32>, tensor<?xf32>
  %S1 = qdelta.write %S key %r value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %S1 : tensor<?x?xf32> out %v : tensor<?xf32>
}
func.func @scan(%k: tensor<?x?x?x6xf32>, %v: tensor<?x?x?x?xf32>, %c: tensor<?x?x?x2xf32>, %S: tensor<?x?x6x?xf32>) {
  // expected-error @below {{expected K = 6 to be twice the number of its pairs, but got 2 /*scan_c3*/}}
  %0:2 = qdelta.scan @f(%k, %v, %c) init(%S) : (tensor<?x?x?x6xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x2xf32>) init(tensor<?x?x6x?xf32>)
    -> (tensor<?x?x?x?xf32>) final(tensor<?x?x6x?xf32>)
  return
}

// -----

// prescan_c1
func.func @arguments(%h: index, %k: tensor<?x?x?xf32>) {
  // expected-error @below {{expected k to have rank 4, but got 'tensor<?x?x?xf32>' /*prescan_c1*/}}
  %r = qdelta.prescan heads %h (%k) attributes {arg_names = ["k"]} : (tensor<?x?x?xf32>) -> (tensor<?x?x?x?xf32>) {
  ^bb0(%kt: tensor<?xf32>):
    qdelta.prescan_yield %kt : tensor<?xf32>
  }
  return
}

// -----

// prescan_c2
func.func @outputs(%h: index, %k: tensor<?x?x?x?xf32>) {
  // expected-error @below {{yields 2 values for 1 outputs /*prescan_c2*/}}
  %r = qdelta.prescan heads %h (%k) attributes {arg_names = ["k"]} : (tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) {
  ^bb0(%kt: tensor<?xf32>):
    qdelta.prescan_yield %kt, %kt : tensor<?xf32>, tensor<?xf32>
  }
  return
}

// -----

// prescan_c3
func.func @not_advanced(%h: index, %k: tensor<?x?x?x?xf32>, %a: tensor<?x?x?xf32>) {
  // expected-error @below {{expected one qdelta.advance of each state, in their order /*prescan_c3*/}}
  %r:2 = qdelta.prescan heads %h (%k) init(%a) attributes {arg_names = ["k", "a"]}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?xf32>) {
  ^bb0(%kt: tensor<?xf32>, %at: tensor<?xf32>):
    qdelta.prescan_yield %at : tensor<?xf32>
  }
  return
}

// -----

// prescan_c4
func.func @quadratic(%h: index, %k: tensor<?x?x?x?xf32>, %a: tensor<?x?x?xf32>) {
  %r:2 = qdelta.prescan heads %h (%k) init(%a) attributes {arg_names = ["k", "a"]}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?xf32>) {
  ^bb0(%kt: tensor<?xf32>, %at: tensor<?xf32>):
    // expected-error @below {{takes a factor or an addend that depends on this state or a later one /*prescan_c4*/}}
    %a1 = qdelta.advance affine %at by %at : tensor<?xf32> : tensor<?xf32>
    qdelta.prescan_yield %a1 : tensor<?xf32>
  }
  return
}

// -----

// advance_c1
func.func @advance(%h: index, %k: tensor<?x?x?x?xf32>, %a: tensor<?x?x?xf32>) {
  %r:2 = qdelta.prescan heads %h (%k) init(%a) attributes {arg_names = ["k", "a"]}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?xf32>) {
  ^bb0(%kt: tensor<?xf32>, %at: tensor<?xf32>):
    // expected-error @below {{expected max_plus to have `by` and `with`, and set to have `with` alone /*advance_c1*/}}
    %a1 = qdelta.advance max_plus %at with %kt : tensor<?xf32> : tensor<?xf32>
    qdelta.prescan_yield %a1 : tensor<?xf32>
  }
  return
}
