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
