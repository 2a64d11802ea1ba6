// RUN: qdelta-opt %s | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -mlir-print-op-generic | qdelta-opt | FileCheck %s

// States in place, of all entries in order or of those that an index names.

// CHECK-LABEL: qdelta.recurrence @f
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// CHECK-LABEL: func.func @all(
// CHECK:       qdelta.step @f(%{{.*}}, %{{.*}}) init(%{{.*}}) : (tensor<2x?x4x4xf32>, tensor<2x?x4x8xf32>) init(tensor<2x4x4x8xf32>) ->
func.func @all(%k: tensor<2x?x4x4xf32>, %v: tensor<2x?x4x8xf32>, %S: tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>, tensor<2x4x4x8xf32>) {
  %o, %f = qdelta.step @f(%k, %v) init(%S) : (tensor<2x?x4x4xf32>, tensor<2x?x4x8xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return %o, %f : tensor<2x?x4x8xf32>, tensor<2x4x4x8xf32>
}

// Two of nine states, and as many tokens as there may be.
// CHECK-LABEL: func.func @indexed(
// CHECK:       qdelta.step @f(%{{.*}}, %{{.*}}) init(%{{.*}}) state_index(%{{.*}} : tensor<2xi32>) :
func.func @indexed(%k: tensor<2x16x4x4xf32>, %v: tensor<2x16x4x8xf32>, %S: tensor<9x4x4x8xf32>, %i: tensor<2xi32>) -> tensor<9x4x4x8xf32> {
  %o, %f = qdelta.step @f(%k, %v) init(%S) state_index(%i : tensor<2xi32>) : (tensor<2x16x4x4xf32>, tensor<2x16x4x8xf32>) init(tensor<9x4x4x8xf32>) -> (tensor<2x16x4x8xf32>) final(tensor<9x4x4x8xf32>)
  return %f : tensor<9x4x4x8xf32>
}

// CHECK-LABEL: func.func @list(
// CHECK:       qdelta.affine_scan(%{{.*}}) init(%{{.*}}) in_place state_index(%{{.*}} : tensor<?xi32>) attributes
func.func @list(%k: tensor<?x?x?x4xf32>, %S: tensor<?x?x4x4xf32>, %i: tensor<?xi32>) -> (tensor<?x?x?x4xf32>, tensor<?x?x4x4xf32>) {
  %o, %f = qdelta.affine_scan(%k) init(%S) in_place state_index(%i : tensor<?xi32>)
    attributes {arg_names = ["k"], facts = #qdelta.facts<decay = none, reads = 1, writes = 0, bounded = true>}
    : (tensor<?x?x?x4xf32>) init(tensor<?x?x4x4xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4x4xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %y = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%one) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x4xf32>, tensor<?x?x4x4xf32>
}

// CHECK-LABEL: func.func @prescan(
// CHECK:       qdelta.prescan heads %{{.*}}(%{{.*}}) init(%{{.*}}) in_place attributes
func.func @prescan(%h: index, %x: tensor<?x?x?x4xf32>, %a: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %o, %f = qdelta.prescan heads %h(%x) init(%a) in_place attributes {arg_names = ["x", "a"]}
    : (tensor<?x?x?x4xf32>) init(tensor<?x?x4xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4xf32>) {
  ^bb0(%tx: tensor<?xf32>, %previous: tensor<?xf32>):
    %next = qdelta.advance affine %previous with %tx : tensor<?xf32> : tensor<?xf32>
    qdelta.prescan_yield %next : tensor<?xf32>
  }
  return %f : tensor<?x?x4xf32>
}

// CHECK-LABEL: func.func @ahead(
// CHECK:       qdelta.chunk_update %{{.*}} decay %{{.*}} keys(%{{.*}}) values(%{{.*}}) reads() ahead %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) ahead tensor<?x?x4x8xf32> -> tensor<4x8xf32>
func.func @ahead(%S: tensor<4x8xf32>, %d: f32, %k: tensor<1x4xf32>, %e: tensor<1x8xf32>, %all: tensor<?x?x4x8xf32>, %i: index) -> tensor<4x8xf32> {
  %0 = qdelta.chunk_update %S decay %d keys(%k) values(%e) reads() ahead %all[%i, %i, %i]
    : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) ahead tensor<?x?x4x8xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
