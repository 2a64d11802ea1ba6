// Writes of a token at one key that nearly cancel. In chunks as matrices later
// tokens see one write (docs/Decisions/0032); apart, each rounded by itself, all but
// one of these were beyond twice the token loop's error.

// The chunk form is the step's.
// RUN: rm -rf %t && split-file %s %t
// RUN: %python %S/../Equivalence/Inputs/sweep.py qdelta-opt "%t/@(back|three|half|mixed).mlir" -o /dev/null "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=3 value=2},qdelta-to-affine,qdelta-to-chunked{chunk=@(5|16)},qdelta-check-derivation,qdelta-check-derivation{erase},qdelta-to-linalg{engine=scalar},qdelta-check-derivation)"
// RUN: %python %S/../Equivalence/Inputs/sweep.py qdelta-opt "%t/@(back|three|half).mlir" -o /dev/null "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=3 value=2 dtype=bf16},qdelta-to-affine,qdelta-to-chunked{target=sm_90a chunk=16},qdelta-check-derivation,qdelta-check-derivation{erase})"

// RUN: %python %S/../Equivalence/Inputs/sweep.py qdelta-run "%t/@(three|half|mixed).mlir" "--engine=@(scalar|cpu)" --chunk=16 "--seed=@(1|2)" --shape B=2,T=33,H=2,K=8,V=36 --check-against=reference
// RUN: %python %S/../Equivalence/Inputs/sweep.py qdelta-run "%t/@(back|three|half).mlir" --engine=emulated "--target=@(sm_80|sm_90a)" --dtype=bf16 --chunk=16 "--seed=@(1|2)" --shape B=1,T=33,H=2,K=8,V=16 --check-against=reference

// All of a known write is taken back.
//--- back.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @back(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %h: !vec {qdelta.unit}, %v: !vec, %u: !vec) {
  %S1 = qdelta.write %S key %h value %u : !mat, !vec, !vec
  %S2 = qdelta.write %S1 key %k value %v : !mat, !vec, !vec
  %y = qdelta.read %S2 at %k : !mat, !vec
  %n = arith.negf %y : !vec
  %S3 = qdelta.write %S2 key %k value %n : !mat, !vec, !vec
  %z = qdelta.read %S3 at %k : !mat, !vec
  %o = arith.addf %y, %z : !vec
  qdelta.yield state %S3 : !mat out %o : !vec
}

// Three unknown ones, with a decay in between. Nothing reads what the first has come
// to: its row of the inverse is in no product, but has its place.
//--- three.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @three(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %v: !vec, %g: f32 {qdelta.log_decay},
          %a: f32 {qdelta.range = [-0.5, 0.5]}, %b: f32 {qdelta.range = [0.0, 1.0]}) {
  %y = qdelta.read %S at %k : !mat, !vec
  %d = arith.subf %v, %y : !vec
  %S1 = qdelta.write %S key %k value %d : !mat, !vec, !vec
  %ya = qdelta.scale %y by %a : !vec, f32
  %Sg = qdelta.decay %S1 by %g : !mat, f32
  %S2 = qdelta.write %Sg key %k value %ya : !mat, !vec, !vec
  %z = qdelta.read %S2 at %k : !mat, !vec
  %zb = qdelta.scale %z by %b : !vec, f32
  %n = arith.negf %zb : !vec
  %S3 = qdelta.write %S2 key %k value %n : !mat, !vec, !vec
  %o = qdelta.read %S3 at %k : !mat, !vec
  qdelta.yield state %S3 : !mat out %o : !vec
}

// Part of what is known is taken back, behind a decay; then a known write.
//--- half.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @half(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %h: !vec {qdelta.unit}, %v: !vec, %u: !vec,
          %g: f32 {qdelta.log_decay}, %b: f32 {qdelta.range = [0.0, 1.0]}) {
  %S1 = qdelta.write %S key %k value %v : !mat, !vec, !vec
  %Sg = qdelta.decay %S1 by %g : !mat, f32
  %y = qdelta.read %Sg at %k : !mat, !vec
  %S2 = qdelta.write %Sg key %k value %u : !mat, !vec, !vec
  %z = qdelta.read %S2 at %k : !mat, !vec
  %zb = qdelta.scale %z by %b : !vec, f32
  %n = arith.negf %zb : !vec
  %S3 = qdelta.write %S2 key %k value %n : !mat, !vec, !vec
  %S4 = qdelta.write %S3 key %k value %u : !mat, !vec, !vec
  %w = qdelta.read %S4 at %h : !mat, !vec
  %o = arith.addf %y, %w : !vec
  qdelta.yield state %S4 : !mat out %o : !vec
}

// A mix carries the state to another one: behind both writes, and between them, where
// they stay apart. What comes directly is as large as what is left is small.
//--- mixed.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @mixed(state %S: !mat, %R: !mat)
    token(%k: !vec {qdelta.unit}, %h: !vec {qdelta.unit}, %v: !vec,
          %c: f32 {qdelta.range = [-0.25, 0.25]}, %g: f32 {qdelta.log_decay}) {
  %n = arith.negf %v : !vec
  %S1 = qdelta.write %S key %k value %n : !mat, !vec, !vec
  %y = qdelta.read %S1 at %h : !mat, !vec
  %R1 = qdelta.mix %R with %S1 by %c : !mat, f32
  %z = qdelta.read %R1 at %h : !mat, !vec
  %S2 = qdelta.decay %S1 by %g : !mat, f32
  %yc = qdelta.scale %y by %c : !vec, f32
  %d = arith.addf %v, %yc : !vec
  %S3 = qdelta.write %S2 key %k value %d : !mat, !vec, !vec
  %zc = qdelta.scale %z by %c : !vec, f32
  %S4 = qdelta.write %S3 key %k value %zc : !mat, !vec, !vec
  qdelta.yield state %S4, %R1 : !mat, !mat out %z : !vec
}
