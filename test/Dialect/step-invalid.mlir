// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// step_c1
func.func @tokens(%k: tensor<2x17x4x4xf32>, %v: tensor<2x17x4x8xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected at most 16 tokens, but got 17 /*step_c1*/}}
  %o, %f = qdelta.step @f(%k, %v) init(%S) : (tensor<2x17x4x4xf32>, tensor<2x17x4x8xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x17x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// step_c2: final states are in the place of the initial ones.
func.func @types(%k: tensor<2x?x4x4xf32>, %v: tensor<2x?x4x8xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected final state 0, which replaces the initial one, to be of its type 'tensor<2x4x4x8xf32>', but got 'tensor<?x4x4x8xf32>' /*step_c2*/}}
  %o, %f = qdelta.step @f(%k, %v) init(%S) : (tensor<2x?x4x4xf32>, tensor<2x?x4x8xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<?x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// scan_c3: one number for each batch entry.
func.func @index(%k: tensor<2x?x4x4xf32>, %v: tensor<2x?x4x8xf32>, %S: tensor<9x4x4x8xf32>, %i: tensor<3xi32>) {
  // expected-error @below {{expected state_index to have B = 2 as k has, but got 3 /*scan_c3*/}}
  %o, %f = qdelta.step @f(%k, %v) init(%S) state_index(%i : tensor<3xi32>) : (tensor<2x?x4x4xf32>, tensor<2x?x4x8xf32>) init(tensor<9x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<9x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// Without an index there is a state for each batch entry, as in a scan.
func.func @batch(%k: tensor<2x?x4x4xf32>, %v: tensor<2x?x4x8xf32>, %S: tensor<9x4x4x8xf32>) {
  // expected-error @below {{expected k to have B = 9 as initial state S has, but got 2 /*scan_c3*/}}
  %o, %f = qdelta.step @f(%k, %v) init(%S) : (tensor<2x?x4x4xf32>, tensor<2x?x4x8xf32>) init(tensor<9x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<9x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

func.func @nobody(%k: tensor<2x?x4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected @nowhere to be a qdelta.recurrence}}
  %o, %f = qdelta.step @nowhere(%k) init(%S) : (tensor<2x?x4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// affine_scan_c6
func.func @list(%k: tensor<?x17x?x4xf32>, %S: tensor<?x?x4x4xf32>) {
  // expected-error @below {{expected at most 16 tokens in place, but got 17 /*affine_scan_c6*/}}
  %o, %f = qdelta.affine_scan(%k) init(%S) in_place
    attributes {arg_names = ["k"], facts = #qdelta.facts<decay = none, reads = 1, writes = 0, bounded = true>}
    : (tensor<?x17x?x4xf32>) init(tensor<?x?x4x4xf32>) -> (tensor<?x17x?x4xf32>) final(tensor<?x?x4x4xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %y = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%one) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return
}

// -----

// affine_scan_c6: sequences are not packed.
func.func @packed_list(%k: tensor<1x?x?x4xf32>, %S: tensor<?x?x4x4xf32>, %cu: tensor<?xi32>) {
  // expected-error @below {{has cu_seqlens, so expected it to have neither in_place nor a state_index: states in place are of sequences of one length /*affine_scan_c6*/}}
  %o, %f = qdelta.affine_scan(%k) init(%S) cu_seqlens(%cu : tensor<?xi32>) in_place
    attributes {arg_names = ["k"], facts = #qdelta.facts<decay = none, reads = 1, writes = 0, bounded = true>}
    : (tensor<1x?x?x4xf32>) init(tensor<?x?x4x4xf32>) -> (tensor<1x?x?x4xf32>) final(tensor<?x?x4x4xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %y = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%one) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return
}

// -----

// prescan_c6: sequences are not packed.
func.func @packed_prescan(%h: index, %x: tensor<1x?x?x4xf32>, %a: tensor<?x?x4xf32>, %cu: tensor<?xi64>, %i: tensor<?xi32>) {
  // expected-error @below {{has cu_seqlens, so expected it to have neither in_place nor a state_index: states in place are of sequences of one length /*prescan_c6*/}}
  %o, %f = qdelta.prescan heads %h(%x) init(%a) cu_seqlens(%cu : tensor<?xi64>) in_place state_index(%i : tensor<?xi32>) attributes {arg_names = ["x", "a"]}
    : (tensor<1x?x?x4xf32>) init(tensor<?x?x4xf32>) -> (tensor<1x?x?x4xf32>) final(tensor<?x?x4xf32>) {
  ^bb0(%tx: tensor<?xf32>, %previous: tensor<?xf32>):
    %next = qdelta.advance affine %previous with %tx : tensor<?xf32> : tensor<?xf32>
    qdelta.prescan_yield %next : tensor<?xf32>
  }
  return
}

// -----

// prescan_c6
func.func @prescan(%h: index, %x: tensor<?x?x?x4xf32>, %a: tensor<?x?x4xf32>, %i: tensor<?xi32>) {
  // expected-error @below {{has a state_index, so expected it to be in_place /*prescan_c6*/}}
  %o, %f = qdelta.prescan heads %h(%x) init(%a) state_index(%i : tensor<?xi32>) attributes {arg_names = ["x", "a"]}
    : (tensor<?x?x?x4xf32>) init(tensor<?x?x4xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4xf32>) {
  ^bb0(%tx: tensor<?xf32>, %previous: tensor<?xf32>):
    %next = qdelta.advance affine %previous with %tx : tensor<?xf32> : tensor<?xf32>
    qdelta.prescan_yield %next : tensor<?xf32>
  }
  return
}

// -----

// chunk_update_c3
func.func @ahead(%S: tensor<4x8xf32>, %d: f32, %k: tensor<1x4xf32>, %e: tensor<1x8xf32>, %all: tensor<?x?x4x8xf32>, %i: index) {
  // expected-error @below {{expected what is ahead to be a state [B, HV, K, V] at [b, h, c] /*chunk_update_c3*/}}
  %0 = qdelta.chunk_update %S decay %d keys(%k) values(%e) reads() ahead %all[%i, %i]
    : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) ahead tensor<?x?x4x8xf32> -> tensor<4x8xf32>
  return
}
