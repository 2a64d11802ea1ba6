// A vector constant of a step is the same row for every token of a chunk.

// RUN: qdelta-opt %s -o /dev/null --pass-pipeline='builtin.module(qdelta-to-recurrence,qdelta-to-affine,qdelta-to-chunked{chunk=2},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)'
// RUN: qdelta-opt %s -o /dev/null --pass-pipeline='builtin.module(qdelta-to-recurrence,qdelta-to-affine,qdelta-to-chunked{chunk=16},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)'
// RUN: qdelta-run %s --shape B=2,T=35,H=2,K=4,V=36 --chunk=2 --check-against=reference
// RUN: qdelta-run %s --shape B=2,T=35,H=2,K=4,V=36 --chunk=16 --check-against=reference

qdelta.recurrence @constants(state %S: tensor<4x36xf32>) token(%k: tensor<4xf32>, %v: tensor<36xf32>) {
  %a = arith.constant dense<[0.1, -0.2, 0.3, 0.4]> : tensor<4xf32>
  %one = arith.constant dense<1.0> : tensor<36xf32>
  %g = arith.constant -0.5 : f32
  %x = arith.addf %k, %a : tensor<4xf32>
  %Sd = qdelta.decay %S by %g : tensor<4x36xf32>, f32
  %e = arith.addf %v, %one : tensor<36xf32>
  %Sw = qdelta.write %Sd key %a value %e : tensor<4x36xf32>, tensor<4xf32>, tensor<36xf32>
  %y = qdelta.read %Sw at %x : tensor<4x36xf32>, tensor<4xf32>
  %o = arith.addf %y, %one : tensor<36xf32>
  qdelta.yield state %Sw : tensor<4x36xf32> out %o : tensor<36xf32>
}
