// Lists that no model has: stages in other orders, several of each, values and
// outputs of any linear form. Each is derived, checked exactly in every phase
// that has tensors, and run.

// RUN: rm -rf %t && split-file %s %t
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(decay_last|two_decays|read_first|sums|three|no_read|no_write|outputs|local|far).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(1|2|3|16)},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(three|read_first|far).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=@(2|16)},qdelta-check-derivation{erase},qdelta-to-linalg,qdelta-check-derivation{erase})"
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(decay_last|two_decays|read_first|sums|three|no_read|no_write|outputs|local|far).mlir" \
// RUN:   --engine=cpu --check-against=reference --shape=B=2,T=35,H=2,HV=4,K=20,V=36 "--chunk=@(0|1|16)"

//--- decay_last.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @decay_last(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %v: !vec, %g: f32 {qdelta.log_decay}) {
  %p = qdelta.read %S at %k : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %Sw = qdelta.write %S key %k value %d : !mat, !vec, !vec
  %Sd = qdelta.decay %Sw by %g : !mat, f32
  qdelta.yield state %Sd : !mat out %p : !vec
}

//--- two_decays.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Decays on both sides of a write, one of them of a parameter.
qdelta.recurrence @two_decays(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec, %v: !vec, %g: f32 {qdelta.log_decay}) param(%a: f32 {qdelta.log_decay}) {
  %S1 = qdelta.decay %S by %a : !mat, f32
  %p = qdelta.read %S1 at %k : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %S2 = qdelta.write %S1 key %k value %d : !mat, !vec, !vec
  %S3 = qdelta.decay %S2 by %g : !mat, f32
  %y = qdelta.read %S3 at %q : !mat, !vec
  qdelta.yield state %S3 : !mat out %y : !vec
}

//--- read_first.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// The state is read before its decay, and what was read is written after it.
qdelta.recurrence @read_first(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %g: f32 {qdelta.log_decay}, %b: f32 {qdelta.range = [0.0, 1.0]}) {
  %p = qdelta.read %S at %k : !mat, !vec
  %Sd = qdelta.decay %S by %g : !mat, f32
  %bp = qdelta.scale %p by %b : !vec, f32
  %d = arith.subf %v, %bp : !vec
  %Sw = qdelta.write %Sd key %k value %d : !mat, !vec, !vec
  %y = qdelta.read %Sd at %q : !mat, !vec
  qdelta.yield state %Sw : !mat out %y : !vec
}

//--- sums.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Sums as keys, of a read and of a write; a negated value.
qdelta.recurrence @sums(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %b: f32 {qdelta.range = [0.0, 0.25]}) {
  %bq = qdelta.scale %q by %b : !vec, f32
  %a = arith.addf %k, %bq : !vec
  %x = arith.subf %k, %q : !vec
  %p = qdelta.read %S at %x : !mat, !vec
  %bp = qdelta.scale %p by %b : !vec, f32
  %n = arith.negf %bp : !vec
  %d = arith.addf %v, %n : !vec
  %bd = qdelta.scale %d by %b : !vec, f32
  %Sw = qdelta.write %S key %a value %bd : !mat, !vec, !vec
  %y = qdelta.read %Sw at %x : !mat, !vec
  qdelta.yield state %Sw : !mat out %y : !vec
}

//--- three.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Three writes a token: unknown, known, unknown.
qdelta.recurrence @three(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %w: !vec, %g: f32 {qdelta.log_decay}) {
  %S0 = qdelta.decay %S by %g : !mat, f32
  %p1 = qdelta.read %S0 at %k : !mat, !vec
  %d1 = arith.subf %v, %p1 : !vec
  %S1 = qdelta.write %S0 key %k value %d1 : !mat, !vec, !vec
  %S2 = qdelta.write %S1 key %q value %w : !mat, !vec, !vec
  %p3 = qdelta.read %S2 at %q : !mat, !vec
  %d3 = arith.subf %v, %p3 : !vec
  %S3 = qdelta.write %S2 key %q value %d3 : !mat, !vec, !vec
  %y = qdelta.read %S3 at %k : !mat, !vec
  qdelta.yield state %S3 : !mat out %y : !vec
}

//--- no_read.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @no_read(state %S: !mat) token(%k: !vec, %v: !vec, %g: f32 {qdelta.log_decay}) {
  %Sd = qdelta.decay %S by %g : !mat, f32
  %Sw = qdelta.write %Sd key %k value %v : !mat, !vec, !vec
  qdelta.yield state %Sw : !mat out %v : !vec
}

//--- no_write.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @no_write(state %S: !mat) token(%q: !vec, %g: f32 {qdelta.log_decay}) {
  %Sd = qdelta.decay %S by %g : !mat, f32
  %y = qdelta.read %Sd at %q : !mat, !vec
  qdelta.yield state %Sd : !mat out %y : !vec
}

//--- outputs.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Several outputs, one of them a sum of reads at different places.
qdelta.recurrence @outputs(state %S: !mat) token(%k: !vec {qdelta.unit}, %v: !vec, %b: f32 {qdelta.range = [0.0, 1.0]}) {
  %p = qdelta.read %S at %k : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %e = qdelta.scale %d by %b : !vec, f32
  %Sw = qdelta.write %S key %k value %e : !mat, !vec, !vec
  %y = qdelta.read %Sw at %k : !mat, !vec
  %s = arith.addf %y, %p : !vec
  %t = arith.subf %s, %v : !vec
  qdelta.yield state %Sw : !mat out %d, %t, %y : !vec, !vec, !vec
}

//--- local.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Token-local arithmetic of other kinds before the list.
qdelta.recurrence @local(state %S: !mat) token(%k: !vec {qdelta.unit}, %v: !vec, %x: f32) param(%A: f32, %bias: !vec) {
  %ex = math.exp %x : f32
  %eA = math.exp %A : f32
  %ng = arith.mulf %ex, %eA : f32
  %g = arith.negf %ng : f32
  %b = math.tanh %ex : f32
  %u = math.tanh %v : !vec
  %kb = arith.addf %k, %bias : !vec
  %Sd = qdelta.decay %S by %g : !mat, f32
  %Sw = qdelta.write %Sd key %k value %u : !mat, !vec, !vec
  %y = qdelta.read %Sw at %kb : !mat, !vec
  %o = qdelta.scale %y by %b : !vec, f32
  qdelta.yield state %Sw : !mat out %o : !vec
}

//--- far.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// A value that uses a read of two stages before.
qdelta.recurrence @far(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %g: f32 {qdelta.log_decay}, %h: f32 {qdelta.log_decay}) {
  %p = qdelta.read %S at %q : !mat, !vec
  %S1 = qdelta.decay %S by %g : !mat, f32
  %S2 = qdelta.write %S1 key %k value %v : !mat, !vec, !vec
  %r = qdelta.read %S2 at %k : !mat, !vec
  %S3 = qdelta.decay %S2 by %h : !mat, f32
  %d = arith.subf %p, %r : !vec
  %S4 = qdelta.write %S3 key %k value %d : !mat, !vec, !vec
  %y = qdelta.read %S4 at %q : !mat, !vec
  qdelta.yield state %S4 : !mat out %y : !vec
}
