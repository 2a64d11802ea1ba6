// RUN: qdelta-opt %s -split-input-file -verify-diagnostics -qdelta-derive-summaries

// expected-error @below {{has no summary: expected one matrix state, but got 2}}
qdelta.recurrence @two(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %c: f32) {
  %0 = qdelta.write %M key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.mix %S with %0 by %c : tensor<?x?xf32>, f32
  %2 = qdelta.read %1 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %1, %0 : tensor<?x?xf32>, tensor<?x?xf32> out %2 : tensor<?xf32>
}

// -----

// expected-error @below {{has no summary: expected one matrix state, but got 0}}
qdelta.recurrence @none(state %z: tensor<?xf32>) token(%v: tensor<?xf32>) {
  %0 = arith.addf %z, %v : tensor<?xf32>
  qdelta.yield state %0 : tensor<?xf32> out %0 : tensor<?xf32>
}

// -----

// expected-error @below {{has no summary: a state that is read or decays on its value side does not become P S + Q}}
qdelta.recurrence @columns(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: tensor<?xf32>) {
  %0 = qdelta.decay_values %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %1 = qdelta.write %0 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %2 = qdelta.read %1 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %1 : tensor<?x?xf32> out %2 : tensor<?xf32>
}

// -----

// expected-error @below {{has no summary: each of its levels has a state}}
qdelta.recurrence @levels(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  %2 = qdelta.scale %1 by %l : tensor<?xf32>, f32
  qdelta.yield state %0 : tensor<?x?xf32> out %2 : tensor<?xf32>
}

// -----

// expected-error @below {{has no summary: state %z depends on what %S holds}}
qdelta.recurrence @later(state %S: tensor<?x?xf32>, %z: tensor<?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  %2 = arith.addf %z, %1 : tensor<?xf32>
  qdelta.yield state %0, %2 : tensor<?x?xf32>, tensor<?xf32> out %1 : tensor<?xf32>
}

// -----

// expected-note @+1 {{keep a value affine}}
qdelta.recurrence @tanh(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %0 = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{not affine}}
  %1 = math.tanh %0 : tensor<?xf32>
  %2 = qdelta.write %S key %k value %1 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %2 : tensor<?x?xf32> out %0 : tensor<?xf32>
}

// -----

// expected-error @below {{expected @taken_summary to be free for what is derived}}
qdelta.recurrence @taken(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// expected-note @below {{it is here}}
func.func private @taken_summary()
