// A delta rule whose write is smaller in channels that were written a lot.
//
//   z_t = e^{h_t} z_{t-1} + k_t * k_t        a_t = k_t / (1 + z_t)
//   S'  = e^{g_t} S_{t-1}
//   S_t = S' + beta_t a_t (v_t - S'^T k_t)^T          o_t = scale S_t^T q_t
qdelta.recurrence @adaptive_delta(state %z: tensor<?xf32> {qdelta.range = [0.0, 1.0]},
                                  %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: f32 {qdelta.log_decay}, %h: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]})
    param(%scale: f32) {
  %zd = qdelta.decay %z by %h : tensor<?xf32>, f32
  %kk = arith.mulf %k, %k : tensor<?xf32>
  %z1 = arith.addf %zd, %kk : tensor<?xf32>
  %one = arith.constant 1.0 : f32
  %ones = qdelta.splat %one like %k : f32, tensor<?xf32>
  %size = arith.addf %ones, %z1 : tensor<?xf32>
  %a = arith.divf %k, %size : tensor<?xf32>

  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %a value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %z1, %Sw : tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
