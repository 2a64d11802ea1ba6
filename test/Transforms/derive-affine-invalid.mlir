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

// Only an output is affected here, and the message says so.
// expected-note @below {{keep a value affine}}
qdelta.recurrence @output(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{the output is not affine in %S: math.exp is applied to a value that depends on it}}
  %o = math.exp %y : tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
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
  // expected-error @below {{state %S is used along two paths; each decay and write must take the state that the previous one returned}}
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
  // expected-error @below {{state %S must be yielded as its last decay or write left it}}
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// expected-note @below {{that is this value}}
qdelta.recurrence @exchanged(state %S: tensor<?x?xf32>, %Z: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{state %S must be yielded as its last decay or write left it}}
  qdelta.yield state %Z, %S : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// A key that depends on the state.
qdelta.recurrence @key(state %S: tensor<4x4xf32>) token(%k: tensor<4xf32>, %v: tensor<4xf32>, %one: f32) {
  %p = qdelta.read %S at %k : tensor<4x4xf32>, tensor<4xf32>
  %o = arith.addf %p, %v : tensor<4xf32>
  %Sw = qdelta.write %S key %k value %o : tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>
  // expected-error @below {{the new state is not affine in %S: qdelta.write takes a key or decay that depends on it}}
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

// A coefficient of a later state may use an earlier one, but not yet.
qdelta.recurrence @stratified(state %Z: tensor<?x?xf32>, %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %r = qdelta.read %Z at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{coefficients of state %S depend on state %Z through math.tanh; recurrences whose states depend on one another are not derived yet}}
  %t = math.tanh %r : tensor<?xf32>
  %S1 = qdelta.write %S key %k value %t : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %Z, %S1 : tensor<?x?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}
