// Momentum DeltaNet (arXiv 2605.05838): a delta rule whose error is gathered in a
// second state, as momentum gathers a gradient.
//
//   M_t = e^{gm_t} M_{t-1} + eta_t k_t (S_{t-1}^T p_t - v_t)^T
//   S_t = e^{g_t} S_{t-1} - beta_t M_t                          o_t = scale S_t^T q_t
//
// Ranges: q, k, p of norm 1, and p = k is the delta rule of the paper; g, gm <= 0;
// beta, eta in [0, 1].
qdelta.recurrence @momentum_delta_net(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %p: tensor<?xf32> {qdelta.unit},
          %g: f32 {qdelta.log_decay}, %gm: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]}, %eta: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %y = qdelta.read %S at %p : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %y, %v : tensor<?xf32>
  %e = qdelta.scale %d by %eta : tensor<?xf32>, f32
  %Md = qdelta.decay %M by %gm : tensor<?x?xf32>, f32
  %Mw = qdelta.write %Md key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %c = arith.negf %beta : f32
  %Sm = qdelta.mix %Sd with %Mw by %c : tensor<?x?xf32>, f32
  %r = qdelta.read %Sm at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %r by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sm, %Mw : tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
