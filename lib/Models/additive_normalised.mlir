// Linear attention with its normaliser (Katharopoulos et al., arXiv 2006.16236).
//
//   S_t = S_{t-1} + k_t v_t^T        z_t = z_{t-1} + k_t
//   o_t = S_t^T q_t / (z_t^T q_t + 1e-6)
//
// Ranges: q, k >= 0, after a feature map such as elu + 1, which is the caller's;
// any v.
qdelta.recurrence @additive_normalised(
    state %z: tensor<?xf32> {qdelta.range = [0.0, 1.0]}, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.range = [0.0, 1.0]},
          %k: tensor<?xf32> {qdelta.range = [0.0, 1.0]}, %v: tensor<?xf32>) {
  %zt = arith.addf %z, %k : tensor<?xf32>
  %St = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %St at %q : tensor<?x?xf32>, tensor<?xf32>
  %sum = qdelta.dot %q, %zt : tensor<?xf32> -> f32
  %eps = arith.constant 1.0e-6 : f32
  %one = arith.constant 1.0 : f32
  %below = arith.addf %sum, %eps : f32
  %factor = arith.divf %one, %below : f32
  %o = qdelta.scale %y by %factor : tensor<?xf32>, f32
  qdelta.yield state %zt, %St : tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
