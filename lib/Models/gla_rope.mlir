// Gated linear attention (arXiv 2312.06635) with Selective RoPE (OpenReview AQo1SEElNb).
//
//   phi_t = phi_{t-1} + theta_t                      one phase per pair of channels
//   q' = R(phi_t) q_t,  k' = R(phi_t) k_t            rotates the pairs (j, j + K/2)
//   S_t = Diag(e^{g_t}) S_{t-1} + k' v_t^T           o_t = scale S_t^T q'
//
// Ranges: any q, k, v, theta; g <= 0, one log decay per key channel; K even. The
// pairs' decays may differ: the rotation is of the keys, not of the state.
qdelta.recurrence @gla_rope(state %phi: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %theta: tensor<?xf32> {qdelta.range = [-0.5, 0.5]},
          %g: tensor<?xf32> {qdelta.log_decay})
    param(%scale: f32) {
  %phit = arith.addf %phi, %theta : tensor<?xf32>
  %cos = math.cos %phit : tensor<?xf32>
  %sin = math.sin %phit : tensor<?xf32>
  %qr = qdelta.rotate %q by %cos, %sin : tensor<?xf32>, tensor<?xf32>
  %kr = qdelta.rotate %k by %cos, %sin : tensor<?xf32>, tensor<?xf32>
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %kr value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %qr : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %phit, %Sw : tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
