// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

qdelta.recurrence @f(state %S: tensor<4x8xf32>) token(%g: tensor<4xf32>, %v: tensor<8xf32>) {
  // expected-error @below {{expected g to have the state's value dimension 8, but got 4 /*decay_values_c1*/}}
  %0 = qdelta.decay_values %S by %g : tensor<4x8xf32>, tensor<4xf32>
  qdelta.yield state %0 : tensor<4x8xf32> out %v : tensor<8xf32>
}

// -----

qdelta.recurrence @f(state %S: tensor<4x8xf32>) token(%k: tensor<4xf32>, %v: tensor<8xf32>) {
  // expected-error @below {{expected at to have the state's value dimension 8, but got 4 /*read_values_c1*/}}
  %0 = qdelta.read_values %S at %k : tensor<4x8xf32>, tensor<4xf32>
  qdelta.yield state %S : tensor<4x8xf32> out %v : tensor<8xf32>
}

// -----

// yield_c3
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  %z = qdelta.read_values %S at %v : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{expected output 0 to be a value vector [V], but it is a key vector /*yield_c3*/}}
  qdelta.yield state %S : tensor<?x?xf32> out %z : tensor<?xf32>
}

// -----

// recurrence_c6
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  %z = qdelta.read_values %S at %v : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{mixes a key vector [K] with a value vector [V] /*recurrence_c6*/}}
  %o = arith.addf %v, %z : tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

func.func @transpose(%S: tensor<?x?x4x8xf32>) {
  // expected-error @below {{expected a state [B, HV, K, V] and its transpose [B, HV, V, K], but got 'tensor<?x?x4x8xf32>' and 'tensor<?x?x4x8xf32>' /*transpose_state_c1*/}}
  %0 = qdelta.transpose_state %S : tensor<?x?x4x8xf32> -> tensor<?x?x4x8xf32>
  return
}

// -----

func.func @indexed(%S: tensor<9x?x4x8xf32>, %i: tensor<2xi32>) {
  // expected-error @below {{but got 'tensor<9x?x4x8xf32>' and 'tensor<9x?x8x4xf32>' /*transpose_state_c1*/}}
  %0 = qdelta.transpose_state %S state_index(%i : tensor<2xi32>) : tensor<9x?x4x8xf32> -> tensor<9x?x8x4xf32>
  return
}

// -----

// affine_scan_c1
func.func @state(%g: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  %o, %f = qdelta.affine_scan(%g) init(%S)
    attributes {arg_names = ["g"], facts = #qdelta.facts<decay = per_value_channel, reads = 0, writes = 0, bounded = false>}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tg: tensor<?xf32>):
    // expected-error @below {{names state 1 of 1 /*affine_scan_c1*/}}
    qdelta.affine_decay_values 1 by %tg : tensor<?xf32>
    qdelta.affine_end
  }
  return
}

// -----

func.func @apply(%L: tensor<2x2xf32>, %E: tensor<2x8xf32>, %g: tensor<2x4xf32>) {
  // expected-error @below {{expected logs and values [C, W] and two places, or neither logs nor places, but got 'tensor<2x4xf32>' with 'tensor<2x8xf32>' /*chunk_apply_c1*/}}
  %0 = qdelta.chunk_apply %L, %E onto %E decays(%g) from 0 to 1 : tensor<2x2xf32>, tensor<2x8xf32> decays(tensor<2x4xf32>)
  return
}

// -----

func.func @apply(%L: tensor<2x2xf32>, %E: tensor<2x8xf32>) {
  // expected-error @below {{names place 2 of a list with 1 decays}}
  %0 = qdelta.chunk_apply %L, %E onto %E decays(%E) from 0 to 2 : tensor<2x2xf32>, tensor<2x8xf32> decays(tensor<2x8xf32>)
  return
}

// -----

func.func @update(%S: tensor<4x8xf32>, %f: tensor<1x4xf32>, %one: f32) {
  // expected-error @below {{expected factors [1, W] for the columns of a state [K, W], and keys and reads in its element type, but got 'tensor<1x4xf32>' and 'tensor<4x8xf32>'}}
  %0 = qdelta.chunk_update %S decay %one columns %f keys() values() reads() : tensor<4x8xf32>, f32 columns tensor<1x4xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @pairs(%S: tensor<4x8xf32>, %f: tensor<1x8xf32>, %A: tensor<2x4xbf16>, %E: tensor<2x8xf32>, %one: f32) {
  // expected-error @below {{and keys and reads in its element type, but got 'tensor<1x8xf32>' and 'tensor<4x8xf32>' with 'tensor<2x4xbf16>' and  /*chunk_update_c4*/}}
  %0 = qdelta.chunk_update %S decay %one columns %f keys(%A) values(%E) reads() : tensor<4x8xf32>, f32 columns tensor<1x8xf32> keys(tensor<2x4xbf16>) values(tensor<2x8xf32>) -> tensor<4x8xf32>
  return
}
