// RUN: qdelta-run %s --recurrence two_lists --engine=cpu --check-against=reference --shape B=2,T=65,H=2,HV=4,K=20,V=36
// RUN: qdelta-run %s --recurrence two_lists --engine=scalar --check-against=reference --shape B=2,T=17,H=2,HV=4,K=5,V=7
// RUN: qdelta-run %s --recurrence vectors --engine=cpu --check-against=reference --shape B=2,T=65,H=2,HV=4,K=20,V=36
// RUN: qdelta-run %s --recurrence vectors --engine=scalar --check-against=reference --shape B=2,T=17,H=2,HV=4,K=5,V=7
// RUN: qdelta-run %s --recurrence advances --engine=cpu --check-against=reference --shape B=2,T=65,H=2,HV=4,K=20,V=36
// RUN: qdelta-run %s --recurrence advances --engine=scalar --check-against=reference --shape B=2,T=17,H=2,HV=4,K=5,V=7

// Recurrences whose strata no model has.

// Two lists; the second takes a function of the first one's readout.
qdelta.recurrence @two_lists(state %Z: tensor<?x?xf32>, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}) {
  %Zd = qdelta.decay %Z by %g : tensor<?x?xf32>, f32
  %r = qdelta.read %Zd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %r : tensor<?xf32>
  %Z1 = qdelta.write %Zd key %k value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %t = math.tanh %r : tensor<?xf32>
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %S1 = qdelta.write %Sd key %q value %t : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = arith.addf %y, %r : tensor<?xf32>
  qdelta.yield state %Z1, %S1 : tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}

// No matrix at all.
qdelta.recurrence @vectors(state %a: tensor<?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32 {qdelta.log_decay}) param(%w: tensor<?xf32>) {
  %wk = arith.mulf %k, %v : tensor<?xf32>
  %ad = qdelta.decay %a by %g : tensor<?xf32>, f32
  %a1 = arith.addf %ad, %wk : tensor<?xf32>
  %o = arith.mulf %a1, %w : tensor<?xf32>
  qdelta.yield state %a1 : tensor<?xf32> out %o : tensor<?xf32>
}

// Every kind of advance, of a vector and of a scalar; two outputs, one of which
// no state reaches.
qdelta.recurrence @advances(state %a: tensor<?xf32>, %b: tensor<?xf32>, %m: f32, %n: tensor<?xf32>, %c: f32,
                            %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>, %g: f32 {qdelta.log_decay}, %i: f32) {
  %ag = qdelta.scale %a by %g : tensor<?xf32>, f32
  %ak = arith.mulf %a, %k : tensor<?xf32>
  %as = arith.subf %ak, %ag : tensor<?xf32>
  %a1 = arith.addf %as, %k : tensor<?xf32>
  %m1 = qdelta.max_plus %m decay %g input %i : f32, f32
  %n1 = qdelta.max_plus %n decay %g input %b : tensor<?xf32>, f32
  %cd = arith.mulf %c, %i : f32
  %cn = arith.negf %cd : f32
  %tiny = arith.constant 0.1 : f32
  %c1 = arith.mulf %cn, %tiny : f32
  %key = arith.addf %n1, %a : tensor<?xf32>
  %mc = arith.addf %m1, %c1 : f32
  %e = qdelta.scale %v by %mc : tensor<?xf32>, f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %S1 = qdelta.write %Sd key %key value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %o = arith.mulf %y, %v : tensor<?xf32>
  %vv = arith.negf %v : tensor<?xf32>
  qdelta.yield state %a1, %k, %m1, %n1, %c1, %S1
    : tensor<?xf32>, tensor<?xf32>, f32, tensor<?xf32>, f32, tensor<?x?xf32>
    out %o, %vv : tensor<?xf32>, tensor<?xf32>
}
