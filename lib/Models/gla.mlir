// Gated linear attention (Yang et al., arXiv 2312.06635).
//
//   S_t = Diag(e^{g_t}) S_{t-1} + k_t v_t^T        o_t = scale S_t^T q_t
//
// Ranges: any q, k, v; g <= 0, one log decay per key channel, in the paper
// logsigmoid(x) / 16.
qdelta.recurrence @gla(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: tensor<?xf32> {qdelta.log_decay})
    param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
