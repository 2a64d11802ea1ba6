// Mamba-2, the state-space dual (Dao, Gu, arXiv 2405.21060).
//
//   S_t = e^{-e^A D_t} S_{t-1} + D_t B_t x_t^T        o_t = S_t^T C_t + skip x_t
//
// D is the step size, in the paper softplus(d + bias), which is written out in
// gated_delta_net_layer.mlir. Ranges: any x, B, C; D >= 0; A = log U(1, 16) and
// D about log U(1e-3, 0.1) at the start of training. The convolution before, and
// the norm of o silu(z) over all heads, are the caller's.
qdelta.recurrence @mamba2(state %S: tensor<?x?xf32>)
    token(%C: tensor<?xf32> {qdelta.unit}, %B: tensor<?xf32> {qdelta.unit},
          %x: tensor<?xf32>, %D: f32 {qdelta.range = [0.0, 0.2]})
    param(%A: f32 {qdelta.range = [0.0, 2.77]}, %skip: f32) {
  %rate = math.exp %A : f32
  %minus = arith.negf %rate : f32
  %g = arith.mulf %minus, %D : f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %e = qdelta.scale %x by %D : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %B value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %C : tensor<?x?xf32>, tensor<?xf32>
  %own = qdelta.scale %x by %skip : tensor<?xf32>, f32
  %o = arith.addf %y, %own : tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
