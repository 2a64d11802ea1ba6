// A list none of whose outputs it makes itself crashed the choice of a GPU schedule.
// RUN: qdelta-run %s --engine=emulated --target=sm_80 --dtype=bf16 --shape B=2,T=3,H=1,HV=2,K=5,V=7 --check-against=reference | FileCheck %s
// CHECK-COUNT-3: right
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @no_outputs(state %m: f32, %S: !mat)
    token(%v1: !vec,
          %g1: f32 {qdelta.log_decay},
          %i1: f32 {qdelta.range = [-1.0000, 2.0000]}) {
  %t1 = qdelta.max_plus %m decay %g1 input %i1 : f32, f32
  %t2 = math.absf %m : f32
  %t3 = arith.negf %t2 : f32
  %w1 = math.exp %t3 : f32
  %t4 = qdelta.scale %v1 by %w1 : !vec, f32
  qdelta.yield state %t1, %S : f32, !mat out %t4 : !vec
}
