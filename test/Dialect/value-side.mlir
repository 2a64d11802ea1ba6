// RUN: qdelta-opt %s | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -mlir-print-op-generic | qdelta-opt | FileCheck %s

// What reads a state on its value side, and decays its columns.

// CHECK-LABEL: qdelta.recurrence @oja
qdelta.recurrence @oja(state %S: tensor<4x8xf32>)
    token(%q: tensor<4xf32>, %v: tensor<8xf32>, %g: tensor<8xf32> {qdelta.log_decay}) {
  // CHECK-NEXT: %[[D:.*]] = qdelta.decay_values %S by %g : tensor<4x8xf32>, tensor<8xf32>
  %0 = qdelta.decay_values %S by %g : tensor<4x8xf32>, tensor<8xf32>
  // CHECK-NEXT: %[[Z:.*]] = qdelta.read_values %[[D]] at %v : tensor<4x8xf32>, tensor<8xf32>
  %1 = qdelta.read_values %0 at %v : tensor<4x8xf32>, tensor<8xf32>
  // CHECK-NEXT: qdelta.write %[[D]] key %[[Z]] value %v
  %2 = qdelta.write %0 key %1 value %v : tensor<4x8xf32>, tensor<4xf32>, tensor<8xf32>
  %3 = qdelta.read %2 at %q : tensor<4x8xf32>, tensor<4xf32>
  qdelta.yield state %2 : tensor<4x8xf32> out %3 : tensor<8xf32>
}

// CHECK-LABEL: func.func @list
func.func @list(%k: tensor<?x?x?x4xf32>, %g: tensor<?x?x?x8xf32>, %S: tensor<?x?x8x4xf32>, %P: tensor<9x?x8x4xf32>, %i: tensor<2xi32>)
    -> tensor<?x?x?x8xf32> {
  // CHECK: %[[T:.*]] = qdelta.transpose_state %{{.*}} : tensor<?x?x8x4xf32> -> tensor<?x?x4x8xf32>
  %R = qdelta.transpose_state %S : tensor<?x?x8x4xf32> -> tensor<?x?x4x8xf32>
  // CHECK: qdelta.transpose_state %{{.*}} state_index(%{{.*}} : tensor<2xi32>) : tensor<9x?x8x4xf32> -> tensor<2x?x4x8xf32>
  %Q = qdelta.transpose_state %P state_index(%i : tensor<2xi32>) : tensor<9x?x8x4xf32> -> tensor<2x?x4x8xf32>
  // CHECK: qdelta.affine_scan({{.*}}) init(%[[T]])
  %o, %f = qdelta.affine_scan(%k, %g) init(%R)
    attributes {arg_names = ["k", "g"], facts = #qdelta.facts<decay = per_value_channel, reads = 1, writes = 0, bounded = false>}
    : (tensor<?x?x?x4xf32>, tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tg: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    // CHECK: qdelta.affine_decay_values 0 by %g : tensor<?xf32>
    qdelta.affine_decay_values 0 by %tg : tensor<?xf32>
    %y = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%one) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @chunk
func.func @chunk(%S: tensor<4x8xf32>, %L: tensor<2x2xf32>, %E: tensor<2x8xf32>, %g: tensor<2x8xf32>, %f: tensor<1x8xf32>, %one: f32, %w: i1) {
  // CHECK: qdelta.chunk_apply %{{.*}}, %{{.*}} onto %{{.*}} decays(%{{.*}}, %{{.*}}) from 1 to 2 inclusive : tensor<2x2xf32>, tensor<2x8xf32> decays(tensor<2x8xf32>, tensor<2x8xf32>)
  %0 = qdelta.chunk_apply %L, %E onto %E decays(%g, %g) from 1 to 2 inclusive : tensor<2x2xf32>, tensor<2x8xf32> decays(tensor<2x8xf32>, tensor<2x8xf32>)
  // CHECK: qdelta.chunk_update %{{.*}} decay %{{.*}} columns %{{.*}} keys() values() reads() : tensor<4x8xf32>, f32 columns tensor<1x8xf32> -> tensor<4x8xf32>
  %1 = qdelta.chunk_update %S decay %one columns %f keys() values() reads() : tensor<4x8xf32>, f32 columns tensor<1x8xf32> -> tensor<4x8xf32>
  // CHECK: qdelta.chunk_update %{{.*}} decay %{{.*}} when %{{.*}} columns %{{.*}} keys() values() reads() : tensor<4x8xf32>, f32 columns tensor<1x8xf32> -> tensor<4x8xf32>
  %2 = qdelta.chunk_update %S decay %one when %w columns %f keys() values() reads() : tensor<4x8xf32>, f32 columns tensor<1x8xf32> -> tensor<4x8xf32>
  return
}
