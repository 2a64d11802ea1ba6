// A softplus of a number far below 0 is e to that number, and keeps its digits:
// log(1 + x) computed as written would have none left.

// RUN: qdelta-run %s --engine=cpu --check-against=reference --shape B=1,T=33,H=2,K=8,V=24
// RUN: qdelta-run %s --engine=scalar --check-against=reference --shape B=1,T=33,H=2,K=8,V=24
// RUN: qdelta-run %s --engine=cpu --dtype=f64 --check-against=reference --shape B=1,T=33,H=2,K=8,V=24
// RUN: qdelta-run %s --engine=scalar --dtype=f64 --check-against=reference --shape B=1,T=33,H=2,K=8,V=24

!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @softplus(state %S: !mat)
    token(%q: !vec {qdelta.unit}, %k: !vec {qdelta.unit}, %v: !vec,
          %d: f32 {qdelta.range = [-16.0, -5.0]},
          %w: !vec {qdelta.range = [-16.0, -5.0]}) {
  %e = math.exp %d : f32
  %D = math.log1p %e : f32
  %we = math.exp %w : !vec
  %W = math.log1p %we : !vec
  %m = math.expm1 %d : f32
  %x = math.expm1 %D : f32
  %vd = qdelta.scale %v by %x : !vec, f32
  %Sd = qdelta.decay %S by %m : !mat, f32
  %kw = arith.mulf %k, %W : !vec
  %Sw = qdelta.write %Sd key %kw value %vd : !mat, !vec, !vec
  %y = qdelta.read %Sw at %q : !mat, !vec
  qdelta.yield state %Sw : !mat out %y : !vec
}
