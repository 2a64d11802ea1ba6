// Q-Delta, gated (arXiv 2606.08804, Eq. 20).
//
//   S' = e^{g_t} S_{t-1}             x_t = k_t + lambda_t q_t
//   S_t = S' + beta_t k_t (v_t - S'^T x_t)^T        o_t = scale S_t^T q_t
//
// The error is read at x_t, the write stays at k_t. Ranges: q, k of norm 1, q
// unscaled in x_t; g <= 0; beta, lambda in [0, 1].
qdelta.recurrence @q_delta(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]},
          %lambda: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %lq = qdelta.scale %q by %lambda : tensor<?xf32>, f32
  %x = arith.addf %k, %lq : tensor<?xf32>
  %p = qdelta.read %Sd at %x : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
