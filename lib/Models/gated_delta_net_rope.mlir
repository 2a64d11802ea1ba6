// Gated DeltaNet (arXiv 2412.06464) with Selective RoPE (OpenReview AQo1SEElNb).
//
//   phi_t = phi_{t-1} + theta_t                      one phase per pair of channels
//   q' = R(phi_t) q_t,  k' = R(phi_t) k_t            rotates the pairs (j, j + K/2)
//   S' = e^{g_t} S_{t-1}
//   S_t = S' + beta_t k' (v_t - S'^T k')^T           o_t = scale S_t^T q'
//
// Ranges: k of norm 1; g <= 0; beta in [0, 1]; any theta; K even.
qdelta.recurrence @gated_delta_net_rope(state %phi: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %theta: tensor<?xf32> {qdelta.range = [-0.5, 0.5]},
          %g: f32 {qdelta.log_decay}, %beta: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %phit = arith.addf %phi, %theta : tensor<?xf32>
  %cos = math.cos %phit : tensor<?xf32>
  %sin = math.sin %phit : tensor<?xf32>
  %qr = qdelta.rotate %q by %cos, %sin : tensor<?xf32>, tensor<?xf32>
  %kr = qdelta.rotate %k by %cos, %sin : tensor<?xf32>, tensor<?xf32>
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Sd at %kr : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %kr value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %qr : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %phit, %Sw : tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
