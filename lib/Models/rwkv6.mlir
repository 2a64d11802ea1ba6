// RWKV-6 (Peng et al., arXiv 2404.05892).
//
//   o_t = S_{t-1}^T r_t + (r_t . (u * k_t)) v_t
//   S_t = Diag(e^{w_t}) S_{t-1} + k_t v_t^T
//
// The readout sees the state before the token, which itself enters by a bonus: u
// is learned, one number per key channel and head. Ranges: any r, k, v, u; w <= 0,
// one log decay per key channel, in the paper -exp(x).
qdelta.recurrence @rwkv6(state %S: tensor<?x?xf32>)
    token(%r: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %w: tensor<?xf32> {qdelta.log_decay})
    param(%u: tensor<?xf32>) {
  %y = qdelta.read %S at %r : tensor<?x?xf32>, tensor<?xf32>
  %uk = arith.mulf %u, %k : tensor<?xf32>
  %bonus = qdelta.dot %r, %uk : tensor<?xf32> -> f32
  %own = qdelta.scale %v by %bonus : tensor<?xf32>, f32
  %o = arith.addf %y, %own : tensor<?xf32>
  %Sd = qdelta.decay %S by %w : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
