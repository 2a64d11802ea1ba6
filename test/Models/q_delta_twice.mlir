// Q-Delta with a second delta step per token, at another key: in no model file,
// so that nothing of it can be known beforehand.

// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-check-derivation | FileCheck %s
// CHECK-LABEL: func.func @q_delta_twice_forward
// CHECK:       facts = #qdelta.facts<decay = scalar, reads = 3, writes = 2, unknown = [true, true], bounded = false>

// RUN: qdelta-opt %s -o /dev/null --pass-pipeline='builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked,qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)'
// RUN: qdelta-opt %s -o /dev/null --pass-pipeline='builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=3},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)'
// RUN: qdelta-opt %s -o /dev/null --pass-pipeline='builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=16},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)'

// RUN: qdelta-run %s --shape B=2,T=65,H=2,HV=4,K=20,V=36 --engine=cpu --check-against=reference
// RUN: qdelta-run %s --shape B=2,T=65,H=2,HV=4,K=20,V=36 --engine=cpu --chunk=1 --check-against=reference
// RUN: qdelta-run %s --shape B=2,T=65,H=2,HV=4,K=20,V=36 --engine=cpu --chunk=16 --check-against=reference --decays=0,-1e-8,-30,-1e4,-inf

qdelta.recurrence @q_delta_twice(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %k2: tensor<?xf32> {qdelta.unit}, %v2: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %beta: f32 {qdelta.range = [0.0, 1.0]},
          %beta2: f32 {qdelta.range = [0.0, 1.0]}, %lambda: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %lq = qdelta.scale %q by %lambda : tensor<?xf32>, f32
  %x = arith.addf %k, %lq : tensor<?xf32>
  %p = qdelta.read %Sd at %x : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %S1 = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %p2 = qdelta.read %S1 at %k2 : tensor<?x?xf32>, tensor<?xf32>
  %d2 = arith.subf %v2, %p2 : tensor<?xf32>
  %e2 = qdelta.scale %d2 by %beta2 : tensor<?xf32>, f32
  %S2 = qdelta.write %S1 key %k2 value %e2 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S2 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %S2 : tensor<?x?xf32> out %o : tensor<?xf32>
}
