// Linear attention (arXiv 2006.16236) with Selective RoPE (OpenReview AQo1SEElNb).
//
//   phi_t = phi_{t-1} + theta_t                      one phase per pair of channels
//   q' = R(phi_t) q_t,  k' = R(phi_t) k_t            rotates the pairs (j, j + K/2)
//   S_t = S_{t-1} + k' v_t^T                         o_t = scale S_t^T q'
//
// Ranges: any q, k, v, theta; feature maps are the caller's; K even.
qdelta.recurrence @additive_rope(state %phi: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %theta: tensor<?xf32> {qdelta.range = [-0.5, 0.5]})
    param(%scale: f32) {
  %phit = arith.addf %phi, %theta : tensor<?xf32>
  %cos = math.cos %phit : tensor<?xf32>
  %sin = math.sin %phit : tensor<?xf32>
  %qr = qdelta.rotate %q by %cos, %sin : tensor<?xf32>, tensor<?xf32>
  %kr = qdelta.rotate %k by %cos, %sin : tensor<?xf32>, tensor<?xf32>
  %Sw = qdelta.write %S key %kr value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %qr : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %phit, %Sw : tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
