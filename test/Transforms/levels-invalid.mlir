// RUN: qdelta-opt %s -split-input-file -verify-diagnostics "--pass-pipeline=builtin.module(qdelta-specialize{key=2 value=3},qdelta-derive-affine,qdelta-select-schedule{target=sm_80})"

// -qdelta-levels-to-heads has not run.

qdelta.recurrence @sums(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %l : tensor<?xf32>, f32
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}

func.func @gpu(%k: tensor<1x9x1x2xf32>, %v: tensor<1x9x1x3xf32>, %l: tensor<1x9x1x?xf32>, %S: tensor<1x?x2x3xf32>, %p: tensor<1xi32>) -> tensor<1x9x1x3xf32> {
  // expected-error @below {{expected a list without levels on GPUs; run -qdelta-levels-to-heads first}}
  %o, %f = qdelta.scan @sums(%k, %v, %l) init(%S) position(%p : tensor<1xi32>)
    : (tensor<1x9x1x2xf32>, tensor<1x9x1x3xf32>, tensor<1x9x1x?xf32>) init(tensor<1x?x2x3xf32>)
    -> (tensor<1x9x1x3xf32>) final(tensor<1x?x2x3xf32>)
  return %o : tensor<1x9x1x3xf32>
}
