// RUN: qdelta-opt %s -verify-diagnostics -qdelta-derive-affine -qdelta-select-schedule
// RUN: not qdelta-opt %s -qdelta-derive-affine -qdelta-levels-to-heads 2>&1 | FileCheck %s
// CHECK: expected a dynamic number of levels and of states, which a launch checks against the number of tokens

// How many levels there are is checked against T by a launch.
qdelta.recurrence @sums(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %l : tensor<?xf32>, f32
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}

func.func @levels(%k: tensor<1x?x1x2xf32>, %v: tensor<1x?x1x3xf32>, %l: tensor<1x?x1x5xf32>, %S: tensor<1x5x2x3xf32>, %p: tensor<1xi32>) -> tensor<1x?x1x3xf32> {
  // expected-error @below {{expected a dynamic number of levels and of states, which a launch checks against the number of tokens, but got 'tensor<1x?x1x5xf32>' and 'tensor<1x5x2x3xf32>'}}
  %o, %f = qdelta.scan @sums(%k, %v, %l) init(%S) position(%p : tensor<1xi32>)
    : (tensor<1x?x1x2xf32>, tensor<1x?x1x3xf32>, tensor<1x?x1x5xf32>) init(tensor<1x5x2x3xf32>)
    -> (tensor<1x?x1x3xf32>) final(tensor<1x5x2x3xf32>)
  return %o : tensor<1x?x1x3xf32>
}
