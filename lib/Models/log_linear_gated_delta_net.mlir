// Log-linear Gated DeltaNet (Guo, Yang, Goel, Xing, Dao, Kim, arXiv 2506.04761).
//
//   S_t^l = e^{g_t} (I - beta_t k_t k_t^T) S_{t-1}^l, and level 0 = beta_t k_t v_t^T
//   o_t = scale sum_l lambda_t^l S_t^l^T q_t
//
// The step of gated_delta_net.mlir, with a state for each level of a Fenwick tree:
// level l holds 2^(l-1) of the tokens before, if bit l-1 of the token's number is
// set, and level 0 the token itself. Ranges: as in gated_delta_net.mlir; lambda >= 0,
// in the paper a softplus. L levels hold 2^(L-1) tokens.
qdelta.recurrence @log_linear_gated_delta_net(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]},
          %lambda: f32 {qdelta.levels = "fenwick", qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %n = arith.mulf %scale, %lambda : f32
  %o = qdelta.scale %y by %n : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
