// Preconditioned Kimi Delta Attention (arXiv 2604.21100).
//
//   A_t = e^{gp_t} A_{t-1} + bp_t k_t^2           r_t = log(A_t + 1e-6) - mu
//   kt_t = 1.5^{-r_t / (1 + |r_t|)} k_t
//   S' = Diag(e^{g_t}) S_{t-1}
//   S_t = S' + beta_t kt_t (v_t - S'^T k_t)^T        o_t = scale S_t^T q_t
//
// The error is read at k_t, the write is at the preconditioned key kt_t. Ranges:
// k of norm 1; A >= 0; g <= 0, one log decay per key channel; gp <= 0; bp, beta
// in [0, 1]. mu is one number per head, -0.2 at the start of training.
qdelta.recurrence @preconditioned_kda(
    state %A: tensor<?xf32> {qdelta.range = [0.0, 1.0]}, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>, %g: tensor<?xf32> {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]}, %gp: f32 {qdelta.log_decay},
          %bp: f32 {qdelta.range = [0.0, 1.0]})
    param(%mu: f32, %scale: f32) {
  %Ad = qdelta.decay %A by %gp : tensor<?xf32>, f32
  %kk = arith.mulf %k, %k : tensor<?xf32>
  %in = qdelta.scale %kk by %bp : tensor<?xf32>, f32
  %At = arith.addf %Ad, %in : tensor<?xf32>

  %eps = arith.constant 1.0e-6 : f32
  %one = arith.constant 1.0 : f32
  %slope = arith.constant -0.405465108 : f32 // -log(1.5)
  %epss = qdelta.splat %eps like %k : f32, tensor<?xf32>
  %ones = qdelta.splat %one like %k : f32, tensor<?xf32>
  %mus = qdelta.splat %mu like %k : f32, tensor<?xf32>
  %Ae = arith.addf %At, %epss : tensor<?xf32>
  %log = math.log %Ae : tensor<?xf32>
  %r = arith.subf %log, %mus : tensor<?xf32>
  %size = math.absf %r : tensor<?xf32>
  %bound = arith.addf %size, %ones : tensor<?xf32>
  %s = arith.divf %r, %bound : tensor<?xf32>
  %t = qdelta.scale %s by %slope : tensor<?xf32>, f32
  %factor = math.exp %t : tensor<?xf32>
  %kt = arith.mulf %factor, %k : tensor<?xf32>

  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %kt value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %At, %Sw : tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
