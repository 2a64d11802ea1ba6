// Q-Delta with a second delta step per token, at a key of its own.
//
//   S'  = e^{g_t} S_{t-1}
//   S'' = S' + beta_t k_t (v_t - S'^T (k_t + lambda_t q_t))^T
//   S_t = S'' + gamma_t j_t (w_t - S''^T j_t)^T          o_t = scale S_t^T q_t
qdelta.recurrence @two_steps(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %j: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>, %w: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %beta: f32 {qdelta.range = [0.0, 1.0]},
          %gamma: f32 {qdelta.range = [0.0, 1.0]},
          %lambda: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %S1 = qdelta.decay %S by %g : tensor<?x?xf32>, f32

  %lq = qdelta.scale %q by %lambda : tensor<?xf32>, f32
  %x = arith.addf %k, %lq : tensor<?xf32>
  %p = qdelta.read %S1 at %x : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %S2 = qdelta.write %S1 key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>

  %r = qdelta.read %S2 at %j : tensor<?x?xf32>, tensor<?xf32>
  %f = arith.subf %w, %r : tensor<?xf32>
  %h = qdelta.scale %f by %gamma : tensor<?xf32>, f32
  %S3 = qdelta.write %S2 key %j value %h : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>

  %y = qdelta.read %S3 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %S3 : tensor<?x?xf32> out %o : tensor<?xf32>
}
