// RUN: qdelta-opt %s "-pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=4},qdelta-to-affine,qdelta-to-chunked{chunk=2 target=avx512})" | FileCheck %s

// Prescans go span by span with their list, here 32 tokens, of which it looks 2
// ahead. What they make for it, and it for them, is a window of 34 tokens.

// CHECK-LABEL: func.func @around_forward(
// CHECK-SAME:    %[[K:.*]]: tensor<?x?x?x4xf32>, %[[V:.*]]: tensor<?x?x?x4xf32>, %[[A:.*]]: tensor<?x?x?xf32>
// CHECK:       %[[KEYS:.*]] = tensor.empty() : tensor<1x34x1x4xf32>
// CHECK:       scf.for %[[SPAN:.*]] = %c0{{.*}} to %{{.*}} step %c16{{.*}} = %[[KEYS]]
// CHECK:         %[[FIRST:.*]] = arith.muli %[[SPAN]], %c2
// The tokens ahead are made already, but for the first span.
// CHECK:         arith.cmpi eq, %[[FIRST]], %c0
// CHECK:         %[[BLOCK:.*]] = scf.for %[[B:.*]] = %{{.*}} to %{{.*}} step %c32
// Functions of scalars, of all tokens of the block at once,
// CHECK:           %[[SCALARS:.*]] = scf.for %[[T:.*]] = %[[B]]
// CHECK:             tensor.extract_slice %[[A]][%{{.*}}, %[[T]], %{{.*}}] [1, 1, 1]
// CHECK:           math.exp %[[SCALARS]] : tensor<1x32xf32>
// then what works on vectors, token by token.
// CHECK:           scf.for %[[T:.*]] = %[[B]]
// CHECK:             tensor.extract_slice %[[K]][%{{.*}}, %[[T]], %{{.*}}, 0] [1, 1, 1, 4]
// CHECK:             arith.subi %[[T]], %[[FIRST]]
// CHECK:             tensor.insert_slice {{.*}} into tensor<1x?x1x4xf32>
// The last token's row stands in those behind it.
// CHECK:         %[[WINDOW:.*]] = scf.for %[[T:.*]] = %{{.*}} to %c34{{.*}} -> (tensor<1x34x1x4xf32>)
// CHECK:           %[[ROW:.*]] = tensor.extract_slice %[[W:.*]][0, %{{.*}}, 0, 0] [1, 1, 1, 4]
// CHECK:           tensor.insert_slice %[[ROW]] into %[[W]][0, %[[T]], 0, 0]
// A chunk's keys are rows of the window.
// CHECK:         %[[KEY:.*]] = tensor.extract_slice %[[WINDOW]][0, %{{.*}}, 0, 0] [1, 2, 1, 4] {{.*}} to tensor<2x4xf32>
// CHECK:         qdelta.chunk_update {{.*}} keys(%[[KEY]])
// CHECK:         qdelta.mean
// What has been looked ahead at comes first in the next span.
// CHECK:         %[[LOOKED:.*]] = qdelta.load_tile %[[W:.*]][%c0{{.*}}, %c32{{.*}}, %c0{{.*}}] : tensor<1x34x1x4xf32> -> tensor<2x4xf32>
// CHECK:         qdelta.store_tile %[[LOOKED]] into %[[W]][%c0{{.*}}, %c0{{.*}}, %c0{{.*}}]
qdelta.recurrence @around(state %n: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %a: f32) {
  %e = math.exp %a : f32
  %ke = qdelta.scale %k by %e : tensor<?xf32>, f32
  %m = arith.addf %n, %ke : tensor<?xf32>
  %0 = qdelta.write %S key %m value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  %2 = qdelta.mean %1 : tensor<?xf32> -> f32
  %3 = qdelta.scale %1 by %2 : tensor<?xf32>, f32
  qdelta.yield state %m, %0 : tensor<?xf32>, tensor<?x?xf32> out %3 : tensor<?xf32>
}
