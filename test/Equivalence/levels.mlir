// RUN: qdelta-run %s --recurrence reads_first --engine=cpu --check-against=reference --shape B=2,T=65,H=2,HV=4,K=20,V=36
// RUN: qdelta-run %s --recurrence reads_first --engine=scalar --check-against=reference --shape B=2,T=17,H=2,HV=4,K=5,V=7
// RUN: qdelta-run %s --recurrence channels --engine=cpu --check-against=reference --shape B=2,T=65,H=2,HV=4,K=20,V=36
// RUN: qdelta-run %s --recurrence channels --engine=scalar --check-against=reference --shape B=2,T=17,H=2,HV=4,K=5,V=7
// RUN: qdelta-run %s --recurrence made --engine=cpu --check-against=reference --shape B=2,T=65,H=2,HV=4,K=20,V=36
// RUN: qdelta-run %s --recurrence made --engine=scalar --check-against=reference --shape B=2,T=17,H=2,HV=4,K=5,V=7

// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=@(7|35)},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(1|2|3|16)},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=@(2|16) engine=scalar},qdelta-check-derivation,qdelta-to-linalg{engine=scalar},qdelta-check-derivation)"

// Recurrences with levels that no model has.

// Two writes, of which one is unknown, after a read of the state as the token
// before left it; two outputs, one of which is direct.
qdelta.recurrence @reads_first(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %l: f32 {qdelta.levels = "fenwick"}, %g: f32 {qdelta.log_decay}) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %m = arith.negf %p : tensor<?xf32>
  %S1 = qdelta.write %Sd key %k value %m : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S2 = qdelta.write %S1 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S2 at %q : tensor<?x?xf32>, tensor<?xf32>
  %n = qdelta.scale %y by %l : tensor<?xf32>, f32
  %o = arith.subf %v, %n : tensor<?xf32>
  %d = qdelta.scale %v by %l : tensor<?xf32>, f32
  qdelta.yield state %S2 : tensor<?x?xf32> out %o, %d : tensor<?xf32>, tensor<?xf32>
}

// A decay for each key channel, which cannot hold a block's reset.
qdelta.recurrence @channels(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: tensor<?xf32> {qdelta.log_decay}, %l: f32 {qdelta.levels = "fenwick"}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %S1 = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %l : tensor<?xf32>, f32
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}

// Keys that a prescan before the list makes; no decay but the reset.
qdelta.recurrence @made(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>,
          %l: f32 {qdelta.levels = "fenwick"}) {
  %kk = qdelta.dot %k, %k : tensor<?xf32> -> f32
  %one = arith.constant 1.0 : f32
  %more = arith.addf %kk, %one : f32
  %by = math.rsqrt %more : f32
  %u = qdelta.scale %k by %by : tensor<?xf32>, f32
  %p = qdelta.read %S at %u : tensor<?x?xf32>, tensor<?xf32>
  %e = arith.subf %v, %p : tensor<?xf32>
  %S1 = qdelta.write %S key %u value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %l : tensor<?xf32>, f32
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}
