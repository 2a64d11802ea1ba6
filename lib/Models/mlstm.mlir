// mLSTM, the matrix memory of xLSTM (arXiv 2405.04517).
//
//   lf_t = log sigmoid(f_t)                          m_t = max(lf_t + m_{t-1}, i_t)
//   C_t = e^{lf_t + m_{t-1} - m_t} C_{t-1} + e^{i_t - m_t} k_t v_t^T
//   n_t = e^{lf_t + m_{t-1} - m_t} n_{t-1} + e^{i_t - m_t} k_t
//   o_t = scale C_t^T q_t / (max(|scale n_t^T q_t|, e^{-m_t}) + 1e-6)
//
// Ranges: any q, k, v, i, f; i and f are before their exponential and sigmoid.
qdelta.recurrence @mlstm(state %m: f32, %n: tensor<?xf32>, %C: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %i: f32, %f: f32)
    param(%scale: f32) {
  %zero = arith.constant 0.0 : f32
  %fn = arith.negf %f : f32
  %fa = math.absf %f : f32
  %fe = arith.negf %fa : f32
  %small = math.exp %fe : f32
  %tail = math.log1p %small : f32
  %head = arith.maximumf %fn, %zero : f32
  %softplus = arith.addf %tail, %head : f32
  %lf = arith.negf %softplus : f32

  %mt = qdelta.max_plus %m decay %lf input %i : f32, f32
  %fm = arith.addf %lf, %m : f32
  %g = arith.subf %fm, %mt : f32
  %im = arith.subf %i, %mt : f32
  %write = math.exp %im : f32
  %kw = qdelta.scale %k by %write : tensor<?xf32>, f32

  %nd = qdelta.decay %n by %g : tensor<?xf32>, f32
  %nt = arith.addf %nd, %kw : tensor<?xf32>
  %Cd = qdelta.decay %C by %g : tensor<?x?xf32>, f32
  %Ct = qdelta.write %Cd key %kw value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>

  %qn = qdelta.dot %q, %nt : tensor<?xf32> -> f32
  %sqn = arith.mulf %qn, %scale : f32
  %norm = math.absf %sqn : f32
  %mn = arith.negf %mt : f32
  %least = math.exp %mn : f32
  %most = arith.maximumf %norm, %least : f32
  %eps = arith.constant 1.0e-6 : f32
  %below = arith.addf %most, %eps : f32
  %factor = arith.divf %scale, %below : f32
  %y = qdelta.read %Ct at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %factor : tensor<?xf32>, f32
  qdelta.yield state %mt, %nt, %Ct : f32, tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}
