// States that are added to one another and decay per key or value channel: what one
// is of another later on is no number. On CPUs such a list is done in its own order,
// token by token.

// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=@(1|5) value=@(7|35)},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{engine=@(cpu|scalar)},qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked,qdelta-to-linalg,qdelta-check-derivation,qdelta-check-derivation{erase})"
// RUN: qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{engine=scalar},qdelta-to-linalg{engine=scalar},qdelta-check-derivation,qdelta-check-derivation{erase})"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(momentum|values|three)" "--engine=@(cpu|scalar)" \
// RUN:   --check-against=reference "--shape=B=2,T=@(0|1|17|65),H=2,HV=4,K=20,V=36" "--mode=@(auto|recurrent)"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(momentum|values|three)" --engine=cpu --target=avx2 \
// RUN:   --check-against=reference "--shape=B=2,T=17,H=2,HV=4,K=33,V=@(1|100)" "--dtype=@(f32|f64|bf16)"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(momentum|values|three)" "--engine=@(cpu|scalar)" \
// RUN:   --entry=step --check-against=reference "--shape=B=2,T=@(1|3),H=2,HV=4,K=20,V=36"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(momentum|values|three)" --engine=cpu \
// RUN:   --cu-seqlens=0,0,1,18 --check-against=reference --shape=B=3,T=18,H=2,HV=4,K=20,V=36

// With decays of 0, almost 0, and such that erase, among the ordinary ones.
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(momentum|values|three)" "--engine=@(cpu|scalar)" \
// RUN:   --check-against=reference --shape=B=2,T=65,H=2,HV=4,K=20,V=36 --decays=0,-1e-8,-1,-30,-88,-104,-1e4,-inf

// Momentum with a decay for each key channel of both states.
qdelta.recurrence @momentum(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: tensor<?xf32> {qdelta.log_decay}, %h: tensor<?xf32> {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]}, %eta: f32 {qdelta.range = [0.0, 0.5]}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Md = qdelta.decay %M by %h : tensor<?x?xf32>, tensor<?xf32>
  %Mw = qdelta.write %Md key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Sw = qdelta.mix %Sd with %Mw by %eta : tensor<?x?xf32>, f32
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw, %Mw : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// A decay for each value channel, made in the step, between a read and the mix.
qdelta.recurrence @values(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %h: tensor<?xf32> {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]}, %c: f32 {qdelta.range = [-0.5, 0.5]}) {
  %Md = qdelta.decay %M by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Md at %k : tensor<?x?xf32>, tensor<?xf32>
  %gs = qdelta.splat %g like %h : f32, tensor<?xf32>
  %gh = arith.addf %gs, %h : tensor<?xf32>
  %Sd = qdelta.decay_values %S by %gh : tensor<?x?xf32>, tensor<?xf32>
  %Sm = qdelta.mix %Sd with %Md by %c : tensor<?x?xf32>, f32
  %bp = qdelta.scale %p by %beta : tensor<?xf32>, f32
  %e = arith.subf %v, %bp : tensor<?xf32>
  %Mw = qdelta.write %Md key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sm at %q : tensor<?x?xf32>, tensor<?xf32>
  %z = qdelta.read %Mw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = arith.addf %y, %z : tensor<?xf32>
  qdelta.yield state %Sm, %Mw : tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}

// Three states, decays of each kind, mixes in a cycle, writes that need two reads
// one after the other, and a read of two vectors' sum.
qdelta.recurrence @three(state %A: tensor<?x?xf32>, %B: tensor<?x?xf32>, %C: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: tensor<?xf32> {qdelta.log_decay}, %h: tensor<?xf32> {qdelta.log_decay},
          %s: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 0.5]}, %c: f32 {qdelta.range = [-0.2, 0.2]}) {
  %Ad = qdelta.decay %A by %g : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read %Ad at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Bw = qdelta.write %B key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Bd = qdelta.decay_values %Bw by %h : tensor<?x?xf32>, tensor<?xf32>
  %Cm = qdelta.mix %C with %Bd by %c : tensor<?x?xf32>, f32
  %Cd = qdelta.decay %Cm by %s : tensor<?x?xf32>, f32
  %r = qdelta.read %Cd at %q : tensor<?x?xf32>, tensor<?xf32>
  %f = qdelta.scale %r by %beta : tensor<?xf32>, f32
  %n = arith.negf %f : tensor<?xf32>
  %Cw = qdelta.write %Cd key %q value %n : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Am = qdelta.mix %Ad with %Cw by %c : tensor<?x?xf32>, f32
  %cq = qdelta.scale %q by %c : tensor<?xf32>, f32
  %kq = arith.addf %k, %cq : tensor<?xf32>
  %x = qdelta.read %Am at %kq : tensor<?x?xf32>, tensor<?xf32>
  %z = qdelta.read %Bd at %q : tensor<?x?xf32>, tensor<?xf32>
  %xz = arith.addf %x, %z : tensor<?xf32>
  %o = arith.addf %xz, %p : tensor<?xf32>
  qdelta.yield state %Am, %Bd, %Cw : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
