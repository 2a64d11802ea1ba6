// Log-linear Mamba-2 (Guo, Yang, Goel, Xing, Dao, Kim, arXiv 2506.04761).
//
//   S_t^l = e^{-e^A D_t} S_{t-1}^l, and level 0 = D_t B_t x_t^T
//   o_t = sum_l lambda_t^l S_t^l^T C_t + skip x_t
//
// As mamba2.mlir, with a state for each level of a Fenwick tree: level l holds
// 2^(l-1) of the tokens before, if bit l-1 of the token's number is set, and level 0
// the token itself. Ranges: as in mamba2.mlir; lambda >= 0, in the paper a softplus.
// L levels hold 2^(L-1) tokens.
qdelta.recurrence @log_linear_mamba2(state %S: tensor<?x?xf32>)
    token(%C: tensor<?xf32> {qdelta.unit}, %B: tensor<?xf32> {qdelta.unit},
          %x: tensor<?xf32>, %D: f32 {qdelta.range = [0.0, 0.2]},
          %lambda: f32 {qdelta.levels = "fenwick", qdelta.range = [0.0, 1.0]})
    param(%A: f32 {qdelta.range = [0.0, 2.77]}, %skip: f32) {
  %rate = math.exp %A : f32
  %minus = arith.negf %rate : f32
  %g = arith.mulf %minus, %D : f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %e = qdelta.scale %x by %D : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %B value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %C : tensor<?x?xf32>, tensor<?xf32>
  %weighted = qdelta.scale %y by %lambda : tensor<?xf32>, f32
  %own = qdelta.scale %x by %skip : tensor<?xf32>, f32
  %o = arith.addf %weighted, %own : tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
