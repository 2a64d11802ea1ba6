// Vectors that tiles of a chunk do not make: on GPUs a prescan makes them first.

// A key made of another, one that is a parameter, and a value that is a function.
qdelta.recurrence @hoisted(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %b: f32 {qdelta.range = [0.0, 0.5]})
    param(%scale: f32, %at: tensor<?xf32> {qdelta.range = [0.0, 0.5]}, %gain: tensor<?xf32>) {
  %e = math.exp %k : tensor<?xf32>
  %j = qdelta.scale %e by %b : tensor<?xf32>, f32
  %t = math.tanh %v : tensor<?xf32>
  %u = arith.mulf %t, %gain : tensor<?xf32>
  %S0 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %S0 at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %u, %p : tensor<?xf32>
  %x = qdelta.scale %d by %b : tensor<?xf32>, f32
  %S1 = qdelta.write %S0 key %k value %x : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S2 = qdelta.write %S1 key %j value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S2 at %q : tensor<?x?xf32>, tensor<?xf32>
  %z = qdelta.read %S2 at %at : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %S2 : tensor<?x?xf32> out %o, %z : tensor<?xf32>, tensor<?xf32>
}
