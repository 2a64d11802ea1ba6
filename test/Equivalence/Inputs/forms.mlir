// Recurrences that no model is: what else kernels for GPUs lower.

// Three outputs, one before the write, one without the state; functions and
// comparisons of scalars and of values.
qdelta.recurrence @outputs(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %b: f32 {qdelta.range = [0.1, 1.0]})
    param(%scale: f32) {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %more = arith.cmpf ogt, %b, %half : f32
  %x = arith.select %more, %b, %half : f32
  %n = arith.negf %x : f32
  %e = math.exp %n : f32
  %d = arith.addf %one, %e : f32
  %gate = arith.divf %one, %d : f32
  %r = math.sqrt %gate : f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %y0 = qdelta.read %Sd at %q : tensor<?x?xf32>, tensor<?xf32>
  %w = qdelta.scale %v by %r : tensor<?xf32>, f32
  %greater = arith.cmpf ogt, %v, %w : tensor<?xf32>
  %u = arith.select %greater, %v, %w : tensor<?xi1>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %k value %u : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o, %y0, %w : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}

// A known and an unknown write with a decay of its own between them.
qdelta.recurrence @decays(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %j: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: f32 {qdelta.log_decay}, %h: f32 {qdelta.log_decay},
          %b: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %S0 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %S1 = qdelta.write %S0 key %j value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S2 = qdelta.decay %S1 by %h : tensor<?x?xf32>, f32
  %p = qdelta.read %S2 at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %b : tensor<?xf32>, f32
  %S3 = qdelta.write %S2 key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S3 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %S3 : tensor<?x?xf32> out %o, %p : tensor<?xf32>, tensor<?xf32>
}
