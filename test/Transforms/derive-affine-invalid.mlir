// RUN: qdelta-opt %s -split-input-file -verify-diagnostics -qdelta-derive-affine

// expected-note @below {{sums, negations and qdelta.scale by a token's scalar keep a value affine}}
qdelta.recurrence @tanh(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{the new state is not affine in %S: math.tanh is applied to a value that depends on it}}
  %t = math.tanh %p : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %t : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %p : tensor<?xf32>
}

// -----

// expected-note @below {{keep a value affine}}
qdelta.recurrence @product(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %l: tensor<?xf32>) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %r = qdelta.read %S at %l : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{the new state is not affine in %S: arith.mulf is applied to a value that depends on it}}
  %e = arith.mulf %p, %r : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %p : tensor<?xf32>
}

// -----

qdelta.recurrence @two_paths(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) {
  // expected-error @below {{state %S is used along two paths; each decay, write and mix must take the state that the previous one returned}}
  %S1 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  // expected-note @below {{the other path starts here}}
  %S2 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S2 : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

qdelta.recurrence @stale(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  // expected-note @below {{that is this value}}
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{state %S must be yielded as its last decay, write or mix left it}}
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// expected-note @below {{that is this value}}
qdelta.recurrence @exchanged(state %S: tensor<?x?xf32>, %Z: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{state %S must be yielded as its last decay, write or mix left it}}
  qdelta.yield state %Z, %S : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// A key that depends on the state.
qdelta.recurrence @key(state %S: tensor<4x4xf32>) token(%k: tensor<4xf32>, %v: tensor<4xf32>, %one: f32) {
  %p = qdelta.read %S at %k : tensor<4x4xf32>, tensor<4xf32>
  %o = arith.addf %p, %v : tensor<4xf32>
  %Sw = qdelta.write %S key %k value %o : tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>
  // expected-error @below {{the new state is not affine in %S: qdelta.write takes a key, decay or factor that depends on it}}
  %Sx = qdelta.write %Sw key %p value %v : tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>
  qdelta.yield state %Sx : tensor<4x4xf32> out %o : tensor<4xf32>
}

// -----

// A coefficient of an earlier state that uses a later one: a cycle.
qdelta.recurrence @cycle(state %S: tensor<?x?xf32>, %Z: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %r = qdelta.read %Z at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{cyclic use of states: coefficients of %S depend on %Z, which is declared after it}}
  %t = math.tanh %r : tensor<?xf32>
  %e = arith.mulf %t, %v : tensor<?xf32>
  %S1 = qdelta.write %S key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %S1, %Z : tensor<?x?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// What the state is read at has to be known before the state.
qdelta.recurrence @read_at(state %S: tensor<4x4xf32>) token(%k: tensor<4xf32>, %v: tensor<4xf32>) {
  %p = qdelta.read %S at %k : tensor<4x4xf32>, tensor<4xf32>
  // expected-error @below {{the new state is not affine in %S: qdelta.read takes a key, decay or factor that depends on it}}
  %y = qdelta.read %S at %p : tensor<4x4xf32>, tensor<4xf32>
  %Sw = qdelta.write %S key %k value %v : tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>
  qdelta.yield state %Sw : tensor<4x4xf32> out %y : tensor<4xf32>
}

// -----

// Also through a state in between.
qdelta.recurrence @through(state %S: tensor<4x4xf32>, %z: tensor<4xf32>) token(%k: tensor<4xf32>, %v: tensor<4xf32>) {
  %p = qdelta.read %S at %k : tensor<4x4xf32>, tensor<4xf32>
  %z1 = arith.addf %z, %p : tensor<4xf32>
  // expected-error @below {{the new state is not affine in %S: qdelta.write takes a key, decay or factor that depends on it}}
  %Sw = qdelta.write %S key %z1 value %v : tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>
  qdelta.yield state %Sw, %z1 : tensor<4x4xf32>, tensor<4xf32> out %v : tensor<4xf32>
}

// -----

// A vector state through a function of itself.
// expected-note @below {{sums, negations, decays and products with what does not depend on the state keep it affine}}
qdelta.recurrence @tanh(state %z: tensor<?xf32>, %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = arith.addf %z, %k : tensor<?xf32>
  // expected-error @below {{the new state is not affine in %z: math.tanh is applied to a value that depends on it}}
  %z1 = math.tanh %0 : tensor<?xf32>
  %Sw = qdelta.write %S key %z1 value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %z1, %Sw : tensor<?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// expected-note @below {{keep it affine}}
qdelta.recurrence @square(state %z: tensor<?xf32>, %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  // expected-error @below {{the new state is not affine in %z: arith.mulf is applied to a value that depends on it}}
  %z1 = arith.mulf %z, %z : tensor<?xf32>
  %Sw = qdelta.write %S key %z1 value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %z1, %Sw : tensor<?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// A maximum of anything but the state itself.
qdelta.recurrence @max_plus(state %m: f32, %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %i: f32) {
  %m0 = arith.addf %m, %i : f32
  // expected-error @below {{expected to take state %m as the token before left it, and to be its new value}}
  %m1 = qdelta.max_plus %m0 decay %i input %i : f32, f32
  %Sd = qdelta.decay %S by %m1 : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %m1, %Sw : f32, tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// Vector states that add each other up.
qdelta.recurrence @coupled(state %a: tensor<?xf32>, %b: tensor<?xf32>) token(%v: tensor<?xf32>) {
  %bv = arith.addf %b, %v : tensor<?xf32>
  %a1 = arith.addf %a, %bv : tensor<?xf32>
  %b1 = arith.addf %b, %a : tensor<?xf32>
  // expected-error @below {{cyclic use of states: %a, which is no matrix, and %b depend on one another}}
  qdelta.yield state %a1, %b1 : tensor<?xf32>, tensor<?xf32> out %a1 : tensor<?xf32>
}

// -----

// A state and an older value of it.
qdelta.recurrence @itself(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %g: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  // expected-error @below {{state %S cannot be mixed with itself}}
  %Sm = qdelta.mix %Sd with %S by %g : tensor<?x?xf32>, f32
  %y = qdelta.read %Sm at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sm : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// What is added has changed already: the list would have to keep a copy.
qdelta.recurrence @exchange(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>) token(%k: tensor<?xf32>, %c: f32) {
  // expected-note @below {{the state is changed here}}
  %S1 = qdelta.mix %S with %M by %c : tensor<?x?xf32>, f32
  // expected-error @below {{adds state %S as it was before a later change; a mix must take the state as it is at its place}}
  %M1 = qdelta.mix %M with %S by %c : tensor<?x?xf32>, f32
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S1, %M1 : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// A factor that the states make: a mix makes one stratum of them.
// expected-note @below {{keep a value affine}}
qdelta.recurrence @factor(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %p = qdelta.read %M at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{the new state is not affine in %M: qdelta.mean is applied to a value that depends on it}}
  %c = qdelta.mean %p : tensor<?xf32> -> f32
  %S1 = qdelta.mix %S with %M by %c : tensor<?x?xf32>, f32
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S1, %M : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}
