// Lists over several matrix states: readouts that feed one another's writes, and
// states that are added to one another. Each is derived, checked exactly in every
// phase that has tensors, and run.

// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(1|2|3|16) engine=@(cpu|scalar)},qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=@(1|2|3|16)},qdelta-to-linalg,qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt %s -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-to-chunked{chunk=@(1|2|17) engine=scalar},qdelta-to-linalg{engine=scalar},qdelta-check-derivation{erase})"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(cycle|cycle_channels|two_mixes|chain)" --engine=cpu \
// RUN:   --check-against=reference "--shape=B=2,T=@(0|2|17|65),H=2,HV=4,K=20,V=36" "--chunk=@(0|1|16)"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(cycle|cycle_channels|chain)" --engine=cpu \
// RUN:   --check-against=reference "--shape=B=2,T=@(1|17|65),H=2,HV=4,K=20,V=36" "--chunk=@(2|64)"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(cycle|cycle_channels|two_mixes|chain)" --engine=scalar \
// RUN:   --check-against=reference "--shape=B=2,T=@(0|1|17|65),H=2,HV=4,K=12,V=20" "--chunk=@(0|2)"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s --recurrence=late --engine=cpu \
// RUN:   --check-against=reference "--shape=B=2,T=@(1|65),H=2,HV=4,K=20,V=36" "--chunk=@(1|2|3|4)"
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(two_mixes|late)" --engine=cpu --target=avx2 \
// RUN:   --check-against=reference --shape=B=2,T=17,H=2,HV=4,K=20,V=36

// With decays of 0, almost 0, and such that erase, among the ordinary ones.
// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(cycle|two_mixes|late)" "--engine=@(cpu|scalar)" --check-against=reference \
// RUN:   --shape=B=2,T=65,H=2,HV=4,K=20,V=36 "--chunk=@(0|1)" --decays=0,-1e-8,-1,-30,-88,-104,-1e4,-inf
// RUN: qdelta-run %s --recurrence=late --engine=cpu --dtype=f64 --check-against=reference --shape=B=2,T=17,H=2,HV=4,K=20,V=36

// RUN: %python %S/Inputs/sweep.py qdelta-run %s "--recurrence=@(two_mixes|chain)" --engine=emulated --target=sm_80 \
// RUN:   --mode=recurrent --check-against=reference --shape=B=1,T=20,H=1,HV=2,K=20,V=36 "--dtype=@(bf16|f32)"

// Random ones, of two and three states.
// RUN: %python %S/Inputs/coupled_lists.py 7 10 > %t.random.mlir
// RUN: %python %S/Inputs/sweep.py qdelta-opt %t.random.mlir -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=2 value=3},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{chunk=@(1|2|3)},qdelta-to-linalg,qdelta-check-derivation)"
// RUN: %python %S/Inputs/sweep.py qdelta-opt %t.random.mlir -o /dev/null \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=2 value=3},qdelta-to-affine,qdelta-to-chunked{chunk=@(2|5) engine=scalar},qdelta-to-linalg{engine=scalar},qdelta-check-derivation{erase})"

// Readouts feed one another's writes in a cycle; no state is added to another.
qdelta.recurrence @cycle(state %A: tensor<?x?xf32>, %B: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %j: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %h: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]}) {
  %Ad = qdelta.decay %A by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Ad at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %B1 = qdelta.write %B key %j value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %B2 = qdelta.decay %B1 by %h : tensor<?x?xf32>, f32
  %r = qdelta.read %B2 at %k : tensor<?x?xf32>, tensor<?xf32>
  %e = qdelta.scale %r by %beta : tensor<?xf32>, f32
  %A1 = qdelta.write %Ad key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %A1 at %q : tensor<?x?xf32>, tensor<?xf32>
  %z = qdelta.read %B2 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = arith.subf %y, %z : tensor<?xf32>
  qdelta.yield state %A1, %B2 : tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}

// The same with decays per key channel of one state.
qdelta.recurrence @cycle_channels(state %A: tensor<?x?xf32>, %B: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: tensor<?xf32> {qdelta.log_decay}, %h: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]}) {
  %p = qdelta.read %A at %k : tensor<?x?xf32>, tensor<?xf32>
  %Ad = qdelta.decay %A by %g : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %Bd = qdelta.decay %B by %h : tensor<?x?xf32>, f32
  %B1 = qdelta.write %Bd key %k value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %r = qdelta.read %B1 at %q : tensor<?x?xf32>, tensor<?xf32>
  %e = qdelta.scale %r by %beta : tensor<?xf32>, f32
  %A1 = qdelta.write %Ad key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %A1 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %A1, %B1 : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// Two mixes a token, in a cycle: each state comes back to itself. Two unknown
// writes, a read between the mixes.
qdelta.recurrence @two_mixes(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: f32 {qdelta.log_decay},
          %c: f32 {qdelta.range = [0.0, 0.5]}, %d: f32 {qdelta.range = [-0.5, 0.0]},
          %beta: f32 {qdelta.range = [0.0, 1.0]}) {
  %S1 = qdelta.mix %S with %M by %c : tensor<?x?xf32>, f32
  %p = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %x = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %x by %beta : tensor<?xf32>, f32
  %M1 = qdelta.decay %M by %g : tensor<?x?xf32>, f32
  %M2 = qdelta.mix %M1 with %S1 by %d : tensor<?x?xf32>, f32
  %M3 = qdelta.write %M2 key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %r = qdelta.read %M3 at %q : tensor<?x?xf32>, tensor<?xf32>
  %f = qdelta.scale %r by %beta : tensor<?xf32>, f32
  %n = arith.negf %f : tensor<?xf32>
  %S2 = qdelta.write %S1 key %q value %n : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S3 = qdelta.decay %S2 by %g : tensor<?x?xf32>, f32
  %y = qdelta.read %S3 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S3, %M3 : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// A chain: only the last state is read, only the first one written. No decay.
qdelta.recurrence @chain(state %A: tensor<?x?xf32>, %B: tensor<?x?xf32>, %C: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %b: f32 {qdelta.range = [-0.2, 0.2]}, %c: f32 {qdelta.range = [-0.2, 0.2]}) {
  %C1 = qdelta.mix %C with %B by %c : tensor<?x?xf32>, f32
  %p = qdelta.read %C1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %A1 = qdelta.write %A key %k value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %B1 = qdelta.mix %B with %A1 by %b : tensor<?x?xf32>, f32
  %y = qdelta.read %C1 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %A1, %B1, %C1 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// Decays before, between and after mixes and writes of a token, so that each place
// of it has a factor of its own. Base vectors are read where a write needs them and
// again where only an output does, at two places.
qdelta.recurrence @late(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: f32 {qdelta.log_decay}, %h: f32 {qdelta.log_decay},
          %c: f32 {qdelta.range = [-0.5, 0.5]}, %beta: f32 {qdelta.range = [0.0, 1.0]}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %M1 = qdelta.decay %M by %g : tensor<?x?xf32>, f32
  %d = arith.subf %v, %y : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %S1 = qdelta.mix %S with %M1 by %c : tensor<?x?xf32>, f32
  %a = qdelta.read %S1 at %q : tensor<?x?xf32>, tensor<?xf32>
  %M2 = qdelta.write %M1 key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %M3 = qdelta.decay %M2 by %h : tensor<?x?xf32>, f32
  %S2 = qdelta.decay %S1 by %h : tensor<?x?xf32>, f32
  %S3 = qdelta.mix %S2 with %M3 by %c : tensor<?x?xf32>, f32
  %S4 = qdelta.decay %S3 by %g : tensor<?x?xf32>, f32
  %b = qdelta.read %S4 at %q : tensor<?x?xf32>, tensor<?xf32>
  %z = qdelta.read %M3 at %k : tensor<?x?xf32>, tensor<?xf32>
  %ab = arith.subf %a, %b : tensor<?xf32>
  %yz = arith.addf %y, %z : tensor<?xf32>
  %sum = arith.addf %ab, %yz : tensor<?xf32>
  %o = arith.addf %sum, %v : tensor<?xf32>
  qdelta.yield state %S4, %M3 : tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
