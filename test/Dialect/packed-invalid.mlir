// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// What cu_seqlens asks of sequences and states, both sides named.

// scan_c6
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @batch(%k: tensor<?x?x2x4xf32>, %v: tensor<1x?x2x8xf32>, %S: tensor<3x2x4x8xf32>, %cu: tensor<4xi32>) {
  // expected-error @below {{expected sequences to begin with 1, which cu_seqlens packs into one, but got 'tensor<?x?x2x4xf32>' /*scan_c6*/}}
  %o, %f = qdelta.scan @step(%k, %v) init(%S) cu_seqlens(%cu : tensor<4xi32>)
    : (tensor<?x?x2x4xf32>, tensor<1x?x2x8xf32>) init(tensor<3x2x4x8xf32>) -> (tensor<1x?x2x8xf32>) final(tensor<3x2x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @states(%k: tensor<1x?x2x4xf32>, %v: tensor<1x?x2x8xf32>, %S: tensor<4x2x4x8xf32>, %cu: tensor<4xi32>) {
  // expected-error @below {{expected states to begin with 3, one for each sequence of cu_seqlens, but got 'tensor<4x2x4x8xf32>' /*scan_c6*/}}
  %o, %f = qdelta.scan @step(%k, %v) init(%S) cu_seqlens(%cu : tensor<4xi32>)
    : (tensor<1x?x2x4xf32>, tensor<1x?x2x8xf32>) init(tensor<4x2x4x8xf32>) -> (tensor<1x?x2x8xf32>) final(tensor<4x2x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @empty(%k: tensor<1x?x2x4xf32>, %v: tensor<1x?x2x8xf32>, %S: tensor<?x2x4x8xf32>, %cu: tensor<0xi32>) {
  // expected-error @below {{expected cu_seqlens to begin with 0 and end with T, but got 'tensor<0xi32>' /*scan_c6*/}}
  %o, %f = qdelta.scan @step(%k, %v) init(%S) cu_seqlens(%cu : tensor<0xi32>)
    : (tensor<1x?x2x4xf32>, tensor<1x?x2x8xf32>) init(tensor<?x2x4x8xf32>) -> (tensor<1x?x2x8xf32>) final(tensor<?x2x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @floats(%k: tensor<1x?x2x4xf32>, %v: tensor<1x?x2x8xf32>, %S: tensor<?x2x4x8xf32>, %cu: tensor<?xf32>) {
  // expected-error @below {{operand #3 must be 1D tensor of 32-bit signless integer or 64-bit signless integer values, but got 'tensor<?xf32>'}}
  %o, %f = qdelta.scan @step(%k, %v) init(%S) cu_seqlens(%cu : tensor<?xf32>)
    : (tensor<1x?x2x4xf32>, tensor<1x?x2x8xf32>) init(tensor<?x2x4x8xf32>) -> (tensor<1x?x2x8xf32>) final(tensor<?x2x4x8xf32>)
  return
}

// -----

// affine_scan_c5
func.func @list(%k: tensor<2x?x?x4xf32>, %S: tensor<?x?x4x4xf32>, %cu: tensor<?xi64>) -> tensor<2x?x?x4xf32> {
  // expected-error @below {{expected sequences to begin with 1, which cu_seqlens packs into one, but got 'tensor<2x?x?x4xf32>' /*affine_scan_c5*/}}
  %o, %f = qdelta.affine_scan(%k) init(%S) cu_seqlens(%cu : tensor<?xi64>) attributes {arg_names = ["k"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>} : (tensor<2x?x?x4xf32>) init(tensor<?x?x4x4xf32>) -> (tensor<2x?x?x4xf32>) final(tensor<?x?x4x4xf32>) {
  ^bb0(%x: tensor<4xf32>):
    %one = arith.constant 1.0 : f32
    qdelta.affine_write 0 key %x value (%one) * (%x) : tensor<4xf32>, (f32) * (tensor<4xf32>)
    %y = qdelta.affine_read 0 at (%one) * (%x) : (f32) * (tensor<4xf32>)
    qdelta.affine_output (%one) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o : tensor<2x?x?x4xf32>
}

// -----

// prescan_c5
func.func @prescan(%k: tensor<1x?x?x4xf32>, %n: tensor<5x?x4xf32>, %heads: index, %cu: tensor<5xi32>) -> tensor<1x?x?x4xf32> {
  // expected-error @below {{expected states to begin with 4, one for each sequence of cu_seqlens, but got 'tensor<5x?x4xf32>' /*prescan_c5*/}}
  %o, %f = qdelta.prescan heads %heads (%k) init(%n) cu_seqlens(%cu : tensor<5xi32>) attributes {arg_names = ["k", "n"]} : (tensor<1x?x?x4xf32>) init(tensor<5x?x4xf32>) -> (tensor<1x?x?x4xf32>) final(tensor<5x?x4xf32>) {
  ^bb0(%x: tensor<4xf32>, %m: tensor<4xf32>):
    %next = qdelta.advance affine %m with %x : tensor<4xf32> : tensor<4xf32>
    qdelta.prescan_yield %next : tensor<4xf32>
  }
  return %o : tensor<1x?x?x4xf32>
}
