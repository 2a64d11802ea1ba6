// Two writes of one read: the system has a block without a diagonal, whose zeros
// have to be in memory when a chunk's system is stored before it is solved. On GPUs
// they are at odd places of the kernel's system, where it is not upper triangular.

// RUN: qdelta-opt %s -o /dev/null "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=3 value=2},qdelta-to-affine,qdelta-to-chunked{chunk=1},qdelta-to-linalg,qdelta-check-derivation)"
// RUN: qdelta-opt %s -o /dev/null "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=3 value=2},qdelta-to-affine,qdelta-to-chunked{chunk=3},qdelta-to-linalg,qdelta-check-derivation)"
// RUN: qdelta-run %s --engine=cpu --check-against=reference --shape B=1,T=9,H=2,K=16,V=16 --mode=recurrent
// RUN: qdelta-run %s --engine=cpu --check-against=reference --shape B=1,T=9,H=2,K=16,V=16 --chunk=2
// RUN: %python %S/../Equivalence/Inputs/sweep.py qdelta-run %s --engine=emulated --check-against=reference --shape B=1,T=33,H=2,K=32,V=16 --chunk=16 "--dtype=@(bf16|f32)" "--target=@(sm_80|sm_90a)"

!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @two_writes_of_one_read(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %h: !vec {qdelta.unit}, %v: !vec,
          %b: f32 {qdelta.range = [-0.25, 0.25]}) {
  %y = qdelta.read %S at %k : !mat, !vec
  %by = qdelta.scale %y by %b : !vec, f32
  %d = arith.subf %v, %by : !vec
  %S1 = qdelta.write %S key %k value %d : !mat, !vec, !vec
  %S2 = qdelta.write %S1 key %h value %by : !mat, !vec, !vec
  qdelta.yield state %S2 : !mat out %y : !vec
}
