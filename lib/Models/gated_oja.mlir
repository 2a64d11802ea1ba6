// Gated Oja (flash-linear-attention, fla/ops/gated_oja_rule): the delta rule with
// the roles of keys and values exchanged. It corrects the key that is read back at
// the value, and value channels decay.
//
//   S' = S_{t-1} Diag(e^{gv_t})
//   S_t = S' + beta_t (k_t - S' v_t) v_t^T          o_t = scale S_t^T q_t
//
// Ranges: v of norm 1; gv <= 0, one log decay per value channel; beta in [0, 1].
qdelta.recurrence @gated_oja(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32> {qdelta.unit}, %gv: tensor<?xf32> {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %Sd = qdelta.decay_values %S by %gv : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read_values %Sd at %v : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %k, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %e value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
