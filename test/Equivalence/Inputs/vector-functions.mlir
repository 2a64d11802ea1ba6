qdelta.recurrence @exp(state %n: f32) token(%v: tensor<?xf32>) {
  %o = math.exp %v : tensor<?xf32>
  qdelta.yield state %n : f32 out %o : tensor<?xf32>
}
qdelta.recurrence @log(state %n: f32) token(%v: tensor<?xf32>) {
  %o = math.log %v : tensor<?xf32>
  qdelta.yield state %n : f32 out %o : tensor<?xf32>
}
qdelta.recurrence @log1p(state %n: f32) token(%v: tensor<?xf32>) {
  %o = math.log1p %v : tensor<?xf32>
  qdelta.yield state %n : f32 out %o : tensor<?xf32>
}
qdelta.recurrence @sin(state %n: f32) token(%v: tensor<?xf32>) {
  %o = math.sin %v : tensor<?xf32>
  qdelta.yield state %n : f32 out %o : tensor<?xf32>
}
qdelta.recurrence @cos(state %n: f32) token(%v: tensor<?xf32>) {
  %o = math.cos %v : tensor<?xf32>
  qdelta.yield state %n : f32 out %o : tensor<?xf32>
}
qdelta.recurrence @both(state %n: f32) token(%v: tensor<?xf32>) {
  %cos = math.cos %v : tensor<?xf32>
  %sin = math.sin %v : tensor<?xf32>
  qdelta.yield state %n : f32 out %cos, %sin : tensor<?xf32>, tensor<?xf32>
}
// e^x of what is within 0.41 of 0, and log(1 + x) of what is from 0 to 1.
qdelta.recurrence @share(state %n: f32) token(%v: tensor<?xf32>) {
  %one = arith.constant 1.0 : f32
  %slope = arith.constant -0.405465108 : f32
  %ones = qdelta.splat %one like %v : f32, tensor<?xf32>
  %size = math.absf %v : tensor<?xf32>
  %more = arith.addf %size, %ones : tensor<?xf32>
  %part = arith.divf %v, %more : tensor<?xf32>
  %scaled = qdelta.scale %part by %slope : tensor<?xf32>, f32
  %o = math.exp %scaled : tensor<?xf32>
  qdelta.yield state %n : f32 out %o : tensor<?xf32>
}
qdelta.recurrence @above(state %n: f32) token(%v: tensor<?xf32>) {
  %size = math.absf %v : tensor<?xf32>
  %less = arith.negf %size : tensor<?xf32>
  %exp = math.exp %less : tensor<?xf32>
  %o = math.log1p %exp : tensor<?xf32>
  qdelta.yield state %n : f32 out %o : tensor<?xf32>
}
