// Lists with decays per key channel that no model has: in other places, with
// common decays among them, with several reads and writes. Each is checked
// exactly in every phase that has tensors, and run.

// RUN: rm -rf %t && split-file %s %t
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(mixed|twice|last|only|made).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=@(1|5) value=7},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(1|2|3|16|17)},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(mixed|twice).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=@(2|17)},qdelta-check-derivation{erase},qdelta-to-linalg,qdelta-check-derivation{erase})"
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(mixed|twice|last|only|made).mlir" \
// RUN:   --engine=cpu --check-against=reference --shape=B=2,T=35,H=2,HV=4,K=20,V=36 "--chunk=@(0|1|16|20)"
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(mixed|twice|last|only|made).mlir" \
// RUN:   --engine=cpu --check-against=reference --shape=B=2,T=35,H=2,HV=4,K=20,V=36 "--chunk=@(0|1|16|20)" --decays=0,-1e-8,-30,-1e4,-inf
// Kernels for GPUs cover one such decay a token.
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(twice|last|made|unused|silent).mlir" \
// RUN:   --engine=emulated --check-against=reference --shape=B=1,T=40,H=1,HV=2,K=20,V=36 "--target=@(sm_80|sm_90a)" "--dtype=@(bf16|f32)" --mode=chunked "--chunk=@(0|16)"

//--- mixed.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Common decays and decays per channel take turns, one of each of a parameter.
qdelta.recurrence @mixed(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %w: !vec,
          %g: !vec {qdelta.log_decay}, %h: f32 {qdelta.log_decay}, %b: f32 {qdelta.range = [0.0, 1.0]})
    param(%a: f32 {qdelta.log_decay}, %c: !vec {qdelta.log_decay}) {
  %S1 = qdelta.decay %S by %a : !mat, f32
  %p = qdelta.read %S1 at %k : !mat, !vec
  %S2 = qdelta.decay %S1 by %g : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %e = qdelta.scale %d by %b : !vec, f32
  %S3 = qdelta.write %S2 key %k value %e : !mat, !vec, !vec
  %S4 = qdelta.decay %S3 by %h : !mat, f32
  %y = qdelta.read %S4 at %q : !mat, !vec
  %f = arith.subf %w, %y : !vec
  %f2 = qdelta.scale %f by %b : !vec, f32
  %S5 = qdelta.decay %S4 by %c : !mat, !vec
  %S6 = qdelta.write %S5 key %q value %f2 : !mat, !vec, !vec
  %o = qdelta.read %S6 at %k : !mat, !vec
  qdelta.yield state %S6 : !mat out %o : !vec
}

//--- twice.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// One vector reads before and after a decay: two readings of the state. Sums as
// keys, two unknown writes.
qdelta.recurrence @twice(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %g: !vec {qdelta.log_decay}, %b: f32 {qdelta.range = [0.0, 0.5]}) {
  %bq = qdelta.scale %q by %b : !vec, f32
  %x = arith.addf %k, %bq : !vec
  %p = qdelta.read %S at %x : !mat, !vec
  %Sd = qdelta.decay %S by %g : !mat, !vec
  %r = qdelta.read %Sd at %k : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %e = qdelta.scale %d by %b : !vec, f32
  %S1 = qdelta.write %Sd key %k value %e : !mat, !vec, !vec
  %br = qdelta.scale %r by %b : !vec, f32
  %n = arith.negf %br : !vec
  %S2 = qdelta.write %S1 key %q value %n : !mat, !vec, !vec
  %y = qdelta.read %S2 at %q : !mat, !vec
  %o = arith.addf %y, %p : !vec
  qdelta.yield state %S2 : !mat out %o : !vec
}

//--- last.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @last(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %v: !vec, %g: !vec {qdelta.log_decay}) {
  %p = qdelta.read %S at %k : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %Sw = qdelta.write %S key %k value %d : !mat, !vec, !vec
  %Sd = qdelta.decay %Sw by %g : !mat, !vec
  qdelta.yield state %Sd : !mat out %p : !vec
}

//--- only.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// No write: the state only fades.
qdelta.recurrence @only(state %S: !mat)
    token(%q: !vec, %g: !vec {qdelta.log_decay}, %h: !vec {qdelta.log_decay}) {
  %S1 = qdelta.decay %S by %g : !mat, !vec
  %y = qdelta.read %S1 at %q : !mat, !vec
  %S2 = qdelta.decay %S1 by %h : !mat, !vec
  qdelta.yield state %S2 : !mat out %y : !vec
}

//--- made.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Log decays that the step makes.
qdelta.recurrence @made(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec, %v: !vec, %x: !vec {qdelta.range = [0.0, 2.0]}, %b: f32 {qdelta.range = [0.0, 1.0]}) {
  %xb = qdelta.scale %x by %b : !vec, f32
  %g = arith.negf %xb : !vec
  %Sd = qdelta.decay %S by %g : !mat, !vec
  %Sw = qdelta.write %Sd key %k value %v : !mat, !vec, !vec
  %y = qdelta.read %Sw at %q : !mat, !vec
  qdelta.yield state %Sw : !mat out %y : !vec
}

//--- unused.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// One vector reads before and after the decay, and nothing needs what it reads after.
qdelta.recurrence @unused(state %S: !mat) token(%k: !vec {qdelta.unit}, %g: !vec {qdelta.log_decay}) {
  %y = qdelta.read %S at %k : !mat, !vec
  %Sd = qdelta.decay %S by %g : !mat, !vec
  %z = qdelta.read %Sd at %k : !mat, !vec
  qdelta.yield state %Sd : !mat out %y : !vec
}

//--- silent.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// A parameter's decay, in a list without an output of its own.
qdelta.recurrence @silent(state %S: !mat) token(%k: !vec {qdelta.unit}, %v: !vec) param(%g: !vec {qdelta.log_decay}) {
  %Sd = qdelta.decay %S by %g : !mat, !vec
  %p = qdelta.read %Sd at %k : !mat, !vec
  %Sw = qdelta.write %Sd key %k value %p : !mat, !vec, !vec
  qdelta.yield state %Sw : !mat out %v : !vec
}
