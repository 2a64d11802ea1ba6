// States that are read on their value side, and decays per value channel: each list
// is derived, checked exactly in every phase that has tensors, and run.

// RUN: rm -rf %t && split-file %s %t
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(known|both_sides|bilinear).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(0|3|17) engine=@(cpu|scalar)},qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(known|parameter|both_sides|bilinear).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=@(1|7)},qdelta-to-affine,qdelta-to-chunked{chunk=@(1|2|17)},qdelta-to-linalg,qdelta-check-derivation{erase})"
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(known|both_sides|bilinear).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=@(2|16) engine=scalar},qdelta-to-linalg{engine=scalar},qdelta-check-derivation{erase})"
// With unknown writes and decays per value channel in one list, token by token.
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(unknown|unknown_keys).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(0|1) engine=@(cpu|scalar)},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation{erase})"

// A kernel of matrices takes seconds to compile, so that one runs many lengths: packed
// ones of 0, 1, 17, 65 and 35 tokens. At most 36 of them are a span of both lists.
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(known|parameter|unknown|both_sides|bilinear|unknown_keys).mlir" --engine=cpu \
// RUN:   --check-against=reference --shape=H=2,HV=4,K=20,V=36 --cu-seqlens=0,0,1,18,83,118
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(known|both_sides|bilinear).mlir" --engine=cpu \
// RUN:   --check-against=reference --shape=H=2,HV=4,K=20,V=36 --cu-seqlens=0,0,1,18,83,118 --chunk=16
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(known|unknown|both_sides|bilinear|unknown_keys).mlir" --engine=scalar \
// RUN:   --check-against=reference --shape=H=2,HV=4,K=12,V=20 --cu-seqlens=0,0,1,18,83,118
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(parameter|both_sides|bilinear).mlir" --engine=scalar \
// RUN:   --check-against=reference --shape=B=2,T=17,H=2,HV=4,K=12,V=20 --chunk=2
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(known|parameter|unknown|unknown_keys|both_sides|bilinear).mlir" --engine=cpu \
// RUN:   --check-against=reference --shape=B=2,T=35,H=2,HV=4,K=20,V=36 --decays=0,-30,-1e4,-inf
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(known|unknown|unknown_keys|bilinear).mlir" --engine=scalar \
// RUN:   --check-against=reference --shape=B=2,T=35,H=2,HV=4,K=20,V=36 --decays=0,-30,-1e4,-inf
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(known|both_sides|bilinear|unknown_keys).mlir" --engine=cpu --dtype=f64 \
// RUN:   --check-against=reference --shape=B=1,T=17,H=1,HV=2,K=9,V=37
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(known|both_sides|bilinear|unknown_keys).mlir" "--engine=@(cpu|scalar)" \
// RUN:   --check-against=reference "--entry=@(step|step_indexed)" --shape=B=3,T=5,H=1,HV=2,K=20,V=36

// Token by token on GPUs: lists on one side, and of both sides a kernel each.
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(parameter|unknown|both_sides|bilinear|unknown_keys).mlir" --engine=emulated --mode=recurrent \
// RUN:   --check-against=reference "--shape=B=2,T=@(1|20),H=1,HV=2,@(K=20,V=36|K=17,V=5)" --dtype=bf16 "--target=@(sm_80|sm_90a)"
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(parameter|unknown|both_sides|bilinear|unknown_keys).mlir" --engine=emulated --mode=recurrent \
// RUN:   --check-against=reference --shape=B=2,T=20,H=1,HV=2,K=20,V=36 --decays=0,-30,-1e4,-inf --target=sm_80
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(both_sides|bilinear|unknown_keys).mlir" --engine=emulated --mode=recurrent \
// RUN:   --check-against=reference --shape=H=1,HV=2,K=18,V=130 --cu-seqlens=0,0,1,8,20 --dtype=f16 --target=sm_80
// The list on the state as it is in chunks, the one on its transpose token by token.
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(parameter|unknown|both_sides|bilinear|unknown_keys).mlir" --engine=emulated \
// RUN:   --check-against=reference "--shape=B=2,T=@(20|33),H=1,HV=2,K=20,V=36" "--dtype=@(f32|bf16)" "--target=@(sm_80|sm_90a)"
// RUN: %python %S/Inputs/sweep.py qdelta-run "%t/@(both_sides|unknown_keys).mlir" --engine=emulated \
// RUN:   --check-against=reference "--entry=@(step|step_indexed)" --shape=B=3,T=5,H=1,HV=2,K=20,V=36 --target=sm_90a
// RUN: %python %S/Inputs/sweep.py qdelta-opt "%t/@(both_sides|bilinear|unknown_keys).mlir" -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7 entry=@(forward|packed)},qdelta-to-affine,qdelta-to-chunked{mode=recurrent target=sm_80},qdelta-check-derivation{erase})"

// Random ones, and some whose system would have a dimension more.
// RUN: %python %S/Inputs/value_side_lists.py 5 10 > %t/random.mlir
// RUN: %python %S/Inputs/sweep.py qdelta-opt %t/random.mlir -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=2 value=3},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(1|2|3)},qdelta-to-linalg,qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt %t/random.mlir -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=2 value=3},qdelta-to-affine,qdelta-to-chunked{chunk=@(2|5) engine=scalar},qdelta-to-linalg{engine=scalar},qdelta-check-derivation{erase})"
// RUN: %python %S/Inputs/value_side_lists.py 6 10 single > %t/single.mlir
// RUN: %python %S/Inputs/sweep.py qdelta-opt %t/single.mlir -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=3 value=2},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{engine=@(cpu|scalar)},qdelta-to-linalg,qdelta-check-derivation{erase})"

//--- known.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Known writes between decays of every kind, one of them a parameter's; reads at
// one vector before and after a decay per value channel.
qdelta.recurrence @known(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %w: !vec,
          %g: !vec {qdelta.log_decay}, %gv: !vec {qdelta.log_decay}, %h: f32 {qdelta.log_decay},
          %b: f32 {qdelta.range = [0.0, 1.0]})
    param(%c: !vec {qdelta.log_decay}) {
  %r = qdelta.read %S at %q : !mat, !vec
  %S1 = qdelta.decay_values %S by %gv : !mat, !vec
  %p = qdelta.read %S1 at %q : !mat, !vec
  %S2 = qdelta.write %S1 key %k value %v : !mat, !vec, !vec
  %S3 = qdelta.decay %S2 by %h : !mat, f32
  %hs = qdelta.splat %h like %c : f32, !vec
  %hc = arith.addf %hs, %c : !vec
  %S4 = qdelta.decay_values %S3 by %hc : !mat, !vec
  %z = qdelta.read %S4 at %k : !mat, !vec
  %S5 = qdelta.write %S4 key %q value %w : !mat, !vec, !vec
  %S6 = qdelta.decay %S5 by %g : !mat, !vec
  %y = qdelta.read %S6 at %q : !mat, !vec
  %o1 = arith.addf %y, %p : !vec
  %o2 = arith.subf %o1, %z : !vec
  %o3 = qdelta.scale %o2 by %b : !vec, f32
  %o = arith.addf %o3, %r : !vec
  qdelta.yield state %S6 : !mat out %o : !vec
}

//--- parameter.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// A parameter's decay of value channels, and one that the step makes, beside one
// per key channel.
qdelta.recurrence @parameter(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %g: !vec {qdelta.log_decay},
          %gv: !vec {qdelta.log_decay})
    param(%c: !vec {qdelta.log_decay}) {
  %S1 = qdelta.decay_values %S by %c : !mat, !vec
  %S2 = qdelta.decay %S1 by %g : !mat, !vec
  %S3 = qdelta.write %S2 key %k value %v : !mat, !vec, !vec
  %gc = arith.addf %gv, %c : !vec
  %S4 = qdelta.decay_values %S3 by %gc : !mat, !vec
  %o = qdelta.read %S4 at %q : !mat, !vec
  qdelta.yield state %S4 : !mat out %o : !vec
}

//--- unknown.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Two unknown writes with decays per value channel between them.
qdelta.recurrence @unknown(state %S: !mat)
    token(%k: !vec {qdelta.unit}, %q: !vec {qdelta.unit}, %v: !vec, %gv: !vec {qdelta.log_decay},
          %hv: !vec {qdelta.log_decay}, %b: f32 {qdelta.range = [0.0, 0.5]}) {
  %S1 = qdelta.decay_values %S by %gv : !mat, !vec
  %p = qdelta.read %S1 at %k : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %e = qdelta.scale %d by %b : !vec, f32
  %S2 = qdelta.write %S1 key %k value %e : !mat, !vec, !vec
  %S3 = qdelta.decay_values %S2 by %hv : !mat, !vec
  %r = qdelta.read %S3 at %q : !mat, !vec
  %f = qdelta.scale %r by %b : !vec, f32
  %n = arith.negf %f : !vec
  %S4 = qdelta.write %S3 key %q value %n : !mat, !vec, !vec
  %y = qdelta.read %S4 at %k : !mat, !vec
  %o = arith.addf %y, %p : !vec
  qdelta.yield state %S4 : !mat out %o : !vec
}

//--- unknown_keys.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Unknown keys and a decay per key channel: one per value channel of the
// transposed state.
qdelta.recurrence @unknown_keys(state %S: !mat)
    token(%q: !vec {qdelta.unit}, %k: !vec, %v: !vec {qdelta.unit}, %g: !vec {qdelta.log_decay},
          %b: f32 {qdelta.range = [0.0, 1.0]}) {
  %S1 = qdelta.decay %S by %g : !mat, !vec
  %p = qdelta.read_values %S1 at %v : !mat, !vec
  %d = arith.subf %k, %p : !vec
  %e = qdelta.scale %d by %b : !vec, f32
  %S2 = qdelta.write %S1 key %e value %v : !mat, !vec, !vec
  %o = qdelta.read %S2 at %q : !mat, !vec
  qdelta.yield state %S2 : !mat out %o : !vec
}

//--- both_sides.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// Two unknown keys and a known write; reads on the key side before, between and
// after them; decays of one number and per value channel. The state before takes
// no part.
qdelta.recurrence @both_sides(state %A: !mat, %S: !mat)
    token(%q: !vec {qdelta.unit}, %k: !vec {qdelta.unit}, %v: !vec {qdelta.unit}, %w: !vec {qdelta.unit},
          %gv: !vec {qdelta.log_decay}, %h: f32 {qdelta.log_decay},
          %b: f32 {qdelta.range = [0.0, 0.5]}) {
  %A1 = qdelta.write %A key %k value %v : !mat, !vec, !vec
  %a = qdelta.read %A1 at %q : !mat, !vec
  %r = qdelta.read %S at %k : !mat, !vec
  %bw = qdelta.scale %w by %b : !vec, f32
  %x = arith.addf %v, %bw : !vec
  %p = qdelta.read_values %S at %x : !mat, !vec
  %S1 = qdelta.decay_values %S by %gv : !mat, !vec
  %d = arith.subf %k, %p : !vec
  %e = qdelta.scale %d by %b : !vec, f32
  %S2 = qdelta.write %S1 key %e value %v : !mat, !vec, !vec
  %m = qdelta.read %S2 at %q : !mat, !vec
  %S3 = qdelta.write %S2 key %q value %w : !mat, !vec, !vec
  %S4 = qdelta.decay %S3 by %h : !mat, f32
  %p2 = qdelta.read_values %S4 at %w : !mat, !vec
  %f = qdelta.scale %p2 by %b : !vec, f32
  %n = arith.negf %f : !vec
  %S5 = qdelta.write %S4 key %n value %w : !mat, !vec, !vec
  %y = qdelta.read %S5 at %q : !mat, !vec
  %o1 = arith.addf %r, %m : !vec
  %o2 = arith.addf %o1, %y : !vec
  %o = arith.addf %o2, %a : !vec
  qdelta.yield state %A1, %S5 : !mat, !mat out %o : !vec
}

//--- bilinear.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
// A delta rule whose output is also scaled by what the value side reads, before the
// token's last write and after it: q^T S w.
qdelta.recurrence @bilinear(state %S: !mat)
    token(%q: !vec {qdelta.unit}, %k: !vec {qdelta.unit}, %v: !vec, %w: !vec {qdelta.unit},
          %g: !vec {qdelta.log_decay}, %b: f32 {qdelta.range = [0.0, 1.0]}) {
  %S1 = qdelta.decay %S by %g : !mat, !vec
  %p = qdelta.read %S1 at %k : !mat, !vec
  %z1 = qdelta.read_values %S1 at %w : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %e = qdelta.scale %d by %b : !vec, f32
  %S2 = qdelta.write %S1 key %k value %e : !mat, !vec, !vec
  %z2 = qdelta.read_values %S2 at %w : !mat, !vec
  %y = qdelta.read %S2 at %q : !mat, !vec
  %z = arith.addf %z1, %z2 : !vec
  %s = qdelta.dot %q, %z : !vec -> f32
  %sv = qdelta.scale %v by %s : !vec, f32
  %o = arith.addf %y, %sv : !vec
  qdelta.yield state %S2 : !mat out %o : !vec
}
