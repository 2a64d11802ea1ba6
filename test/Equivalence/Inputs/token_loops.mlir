// Recurrences that token loops on GPUs run, and chunks do not yet.

// A decay per key channel, and key and value vectors that the step makes. Their
// channels past the last are not zero by themselves: exp(0) is 1.
qdelta.recurrence @made(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: tensor<?xf32> {qdelta.log_decay}, %b: f32 {qdelta.range = [0.1, 0.5]})
    param(%scale: f32, %bias: tensor<?xf32> {qdelta.range = [0.0, 0.5]}, %gain: tensor<?xf32>) {
  %e = math.exp %k : tensor<?xf32>
  %j = qdelta.scale %e by %b : tensor<?xf32>, f32
  %h = arith.subf %g, %bias : tensor<?xf32>
  %u = arith.addf %v, %gain : tensor<?xf32>
  %more = arith.cmpf ogt, %u, %v : tensor<?xf32>
  %w = arith.select %more, %u, %v : tensor<?xi1>, tensor<?xf32>
  %S0 = qdelta.decay %S by %h : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read %S0 at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %w, %p : tensor<?xf32>
  %x = qdelta.scale %d by %b : tensor<?xf32>, f32
  %S1 = qdelta.write %S0 key %k value %x : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S2 = qdelta.write %S1 key %j value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S2 at %q : tensor<?x?xf32>, tensor<?xf32>
  %z = qdelta.read %S2 at %j : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %S2 : tensor<?x?xf32> out %o, %z, %w : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}

// Two states that do not depend on one another.
qdelta.recurrence @two_states(state %S: tensor<?x?xf32>, %R: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %h: f32 {qdelta.log_decay}) param(%scale: f32) {
  %S0 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %S1 = qdelta.write %S0 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %R0 = qdelta.decay %R by %h : tensor<?x?xf32>, f32
  %R1 = qdelta.write %R0 key %q value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %q : tensor<?x?xf32>, tensor<?xf32>
  %z = qdelta.read %R1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %s = arith.addf %y, %z : tensor<?xf32>
  %o = qdelta.scale %s by %scale : tensor<?xf32>, f32
  qdelta.yield state %S1, %R1 : tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
