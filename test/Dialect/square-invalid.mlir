// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// recurrence_c5
// expected-error @below {{expected qdelta.square on a state tensor<K x K>, but %S is 'tensor<4x8xf32>' /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<4x8xf32> {qdelta.square}) token(%v: tensor<?xf32>) {
  qdelta.yield state %S : tensor<4x8xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c5
// expected-error @below {{expected qdelta.square on a state tensor<K x K>, but %v is 'tensor<?xf32>' /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32> {qdelta.square}) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c6
qdelta.recurrence @f(state %P: tensor<?x?xf32> {qdelta.square}, %S: tensor<?x?xf32>) token(%v: tensor<?xf32>, %c: f32) {
  // expected-error @below {{mixes a state tensor<K x K> with a state tensor<K x V> /*recurrence_c6*/}}
  %0 = qdelta.mix %S with %P by %c : tensor<?x?xf32>, f32
  qdelta.yield state %P, %0 : tensor<?x?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c6
qdelta.recurrence @f(state %P: tensor<?x?xf32> {qdelta.square}, %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %w = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %0 = qdelta.read %P at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{mixes a key vector [K] with a value vector [V] /*recurrence_c6*/}}
  %1 = arith.addf %0, %v : tensor<?xf32>
  qdelta.yield state %P, %w : tensor<?x?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

qdelta.recurrence @f(state %P: tensor<?x?xf32> {qdelta.square}) token(%k: tensor<?xf32>) {
  %0 = qdelta.read %P at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %P : tensor<?x?xf32> out %0 : tensor<?xf32>
}
func.func @run(%k: tensor<?x?x?x4xf32>, %P: tensor<?x?x4x5xf32>) -> tensor<?x?x?x4xf32> {
  // expected-error @below {{expected initial state P to have K = }}
  %o, %f = qdelta.scan @f(%k) init(%P) : (tensor<?x?x?x4xf32>) init(tensor<?x?x4x5xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4x5xf32>)
  return %o : tensor<?x?x?x4xf32>
}
