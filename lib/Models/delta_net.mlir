// DeltaNet (Schlag et al., arXiv 2102.11174; Yang et al., arXiv 2406.06484).
//
//   S_t = S_{t-1} + beta_t k_t (v_t - S_{t-1}^T k_t)^T        o_t = scale S_t^T q_t
//
// Ranges: k of norm 1; beta in [0, 1], or [0, 2] with negative eigenvalues.
qdelta.recurrence @delta_net(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %beta: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %S key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
