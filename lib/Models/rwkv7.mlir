// RWKV-7 (Peng et al., arXiv 2503.14456).
//
//   S_t = Diag(e^{w_t}) S_{t-1} - (a_t * h_t) (S_{t-1}^T h_t)^T + k_t v_t^T
//   o_t = S_t^T r_t
//
// The erased part is read before the decay. Ranges: h, the removal key, of norm
// 1; a in [0, 1] per key channel; w per key channel, in the paper
// -e^{-1/2} sigmoid(x), so above -0.61; any r, k, v.
qdelta.recurrence @rwkv7(state %S: tensor<?x?xf32>)
    token(%r: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %w: tensor<?xf32> {qdelta.log_decay},
          %h: tensor<?xf32> {qdelta.unit},
          %a: tensor<?xf32> {qdelta.range = [0.0, 1.0]}) {
  %p = qdelta.read %S at %h : tensor<?x?xf32>, tensor<?xf32>
  %Sd = qdelta.decay %S by %w : tensor<?x?xf32>, tensor<?xf32>
  %ah = arith.mulf %a, %h : tensor<?xf32>
  %n = arith.negf %ah : tensor<?xf32>
  %Se = qdelta.write %Sd key %n value %p : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Se key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %r : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
