// Kimi Delta Attention (arXiv 2510.26692, Eq. 1) with log decays that have a lower
// bound, as the gate low sigmoid(e^A x) with low >= -5 makes them: kernels may then
// scale vectors up and down within a block of tokens (docs/Spec.md, Bounds).
//
//   S' = Diag(e^{g_t}) S_{t-1}
//   S_t = S' + beta_t k_t (v_t - S'^T k_t)^T        o_t = scale S_t^T q_t
//
// Ranges: q, k of norm 1; g in [-5, 0], one log decay per key channel; beta in
// [0, 1], or [0, 2] with negative eigenvalues.
qdelta.recurrence @kda_safe(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: tensor<?xf32> {qdelta.log_decay, qdelta.range = [-5.0, 0.0]},
          %beta: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
