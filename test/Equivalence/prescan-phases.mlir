// RUN: qdelta-run %s --recurrence between --engine=cpu --check-against=reference --shape B=2,T=75,H=2,HV=4,K=40,V=36
// RUN: qdelta-run %s --recurrence between --engine=cpu --target=avx2 --check-against=reference --shape B=1,T=3,H=1,K=7,V=1
// RUN: qdelta-run %s --recurrence between --engine=scalar --check-against=reference --shape B=2,T=17,H=2,HV=4,K=5,V=7
// RUN: qdelta-run %s --recurrence before_update --engine=cpu --check-against=reference --shape B=2,T=75,H=2,HV=4,K=40,V=36
// RUN: qdelta-run %s --recurrence before_update --engine=cpu --dtype=bf16 --check-against=reference --shape B=2,T=65,H=2,HV=4,K=40,V=36
// RUN: qdelta-run %s --recurrence shared --engine=cpu --check-against=reference --shape B=2,T=75,H=2,HV=4,K=40,V=36
// RUN: qdelta-run %s --recurrence shared --engine=cpu --check-against=reference --shape B=2,T=0,H=2,HV=4,K=40,V=36

// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=@(7|35)},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(1|2|3|16)},qdelta-check-derivation,qdelta-to-linalg,qdelta-check-derivation)"

// Prescans whose functions of scalars stand between vectors and states, and lists
// around which they go span by span.

// A sum over a vector, a function of it, and the same vector again; after the
// list a sum of what it read, a function of that and what it read again.
qdelta.recurrence @between(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>,
          %a: f32, %g: f32 {qdelta.log_decay})
    param(%w: tensor<?xf32>, %c: f32) {
  %kw = arith.mulf %k, %w : tensor<?xf32>
  %m = qdelta.mean %kw : tensor<?xf32> -> f32
  %am = arith.addf %a, %m : f32
  %size = math.absf %am : f32
  %t = math.log1p %size : f32
  %tc = arith.mulf %t, %c : f32
  %key = qdelta.scale %kw by %tc : tensor<?xf32>, f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %key value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %yy = arith.mulf %y, %y : tensor<?xf32>
  %my = qdelta.mean %yy : tensor<?xf32> -> f32
  %n = arith.negf %my : f32
  %f = math.exp %n : f32
  %o = qdelta.scale %y by %f : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}

// States before their update, a scalar one and a vector one, in later phases
// than the update; a state that holds what another one held before.
qdelta.recurrence @before_update(
    state %s: f32, %n: tensor<?xf32>, %last: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %a: f32, %b: f32) {
  %neg = math.absf %a : f32
  %log = arith.negf %neg : f32
  %st = qdelta.max_plus %s decay %log input %b : f32, f32
  %d = arith.subf %s, %st : f32
  %da = math.absf %d : f32
  %dn = arith.negf %da : f32
  %u = math.exp %dn : f32
  %kn = qdelta.scale %k by %u : tensor<?xf32>, f32
  %nd = qdelta.decay %n by %log : tensor<?xf32>, f32
  %nt = arith.addf %nd, %kn : tensor<?xf32>
  %dot = qdelta.dot %n, %q : tensor<?xf32> -> f32
  %square = arith.mulf %dot, %dot : f32
  %below = arith.negf %square : f32
  %f = math.exp %below : f32
  %both = arith.addf %n, %last : tensor<?xf32>
  %key = qdelta.scale %both by %f : tensor<?xf32>, f32
  %Sw = qdelta.write %S key %key value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %st, %nt, %n, %Sw : f32, tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32>
    out %y : tensor<?xf32>
}

// What the list reads is an output and used after it, so that all of it is needed.
qdelta.recurrence @shared(state %n: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %a: f32 {qdelta.log_decay}) {
  %nd = qdelta.decay %n by %a : tensor<?xf32>, f32
  %nt = arith.addf %nd, %k : tensor<?xf32>
  %Sw = qdelta.write %S key %nt value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  %yy = qdelta.dot %y, %y : tensor<?xf32> -> f32
  %z = qdelta.scale %v by %yy : tensor<?xf32>, f32
  qdelta.yield state %nt, %Sw : tensor<?xf32>, tensor<?x?xf32>
    out %y, %z : tensor<?xf32>, tensor<?xf32>
}
