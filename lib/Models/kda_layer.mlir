// The core of a Kimi Delta Attention layer (arXiv 2510.26692) with its stages.
//
//   x' = SiLU(w0 x_t + w1 x_{t-1} + w2 x_{t-2} + w3 x_{t-3}) for x = q, k, v, each with its w
//   q'' = q' / sqrt(|q'|^2 + 1e-6), k'' alike
//   g = -e^A softplus(f_t + dt)      beta = sigmoid(b_t)
//   S' = Diag(e^g) S_{t-1}
//   S_t = S' + beta k'' (v' - S'^T k'')^T
//   y = scale S_t^T q''              o_t = y / sqrt(mean(y^2) + 1e-5) * w * sigmoid(z_t)
//
// q, k, v, z, f, b are linear maps of the layer's input. The states x1, x2, x3
// hold the last three tokens. Ranges: any input; A = log U(1, 16), and
// softplus(dt) = log U(1e-3, 0.1) per channel, at the start of training.
//
// With the gate that has a lower bound: kda_safe_layer.
//
// Negative eigenvalues, beta in [0, 2]: %beta2 = arith.addf %beta, %beta : f32.
qdelta.recurrence @kda_layer(
    state %q1: tensor<?xf32>, %q2: tensor<?xf32>, %q3: tensor<?xf32>,
          %k1: tensor<?xf32>, %k2: tensor<?xf32>, %k3: tensor<?xf32>,
          %v1: tensor<?xf32>, %v2: tensor<?xf32>, %v3: tensor<?xf32>,
          %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %z: tensor<?xf32>,
          %f: tensor<?xf32>, %b: f32)
    param(%qw0: tensor<?xf32>, %qw1: tensor<?xf32>, %qw2: tensor<?xf32>, %qw3: tensor<?xf32>,
          %kw0: tensor<?xf32>, %kw1: tensor<?xf32>, %kw2: tensor<?xf32>, %kw3: tensor<?xf32>,
          %vw0: tensor<?xf32>, %vw1: tensor<?xf32>, %vw2: tensor<?xf32>, %vw3: tensor<?xf32>,
          %A: f32 {qdelta.range = [0.0, 2.77]},
          %dt: tensor<?xf32> {qdelta.range = [-7.0, -2.2]}, %w: tensor<?xf32>, %scale: f32) {
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %tiny = arith.constant 1.0e-6 : f32
  %small = arith.constant 1.0e-5 : f32
  %kones = qdelta.splat %one like %k : f32, tensor<?xf32>
  %vones = qdelta.splat %one like %v : f32, tensor<?xf32>

  %qc0 = arith.mulf %qw0, %q : tensor<?xf32>
  %qc1 = arith.mulf %qw1, %q1 : tensor<?xf32>
  %qc2 = arith.mulf %qw2, %q2 : tensor<?xf32>
  %qc3 = arith.mulf %qw3, %q3 : tensor<?xf32>
  %qc01 = arith.addf %qc0, %qc1 : tensor<?xf32>
  %qc23 = arith.addf %qc2, %qc3 : tensor<?xf32>
  %qc = arith.addf %qc01, %qc23 : tensor<?xf32>
  %qneg = arith.negf %qc : tensor<?xf32>
  %qexp = math.exp %qneg : tensor<?xf32>
  %qbelow = arith.addf %qexp, %kones : tensor<?xf32>
  %qs = arith.divf %qc, %qbelow : tensor<?xf32>
  %qsum = qdelta.dot %qs, %qs : tensor<?xf32> -> f32
  %qeps = arith.addf %qsum, %tiny : f32
  %qby = math.rsqrt %qeps : f32
  %qn = qdelta.scale %qs by %qby : tensor<?xf32>, f32

  %kc0 = arith.mulf %kw0, %k : tensor<?xf32>
  %kc1 = arith.mulf %kw1, %k1 : tensor<?xf32>
  %kc2 = arith.mulf %kw2, %k2 : tensor<?xf32>
  %kc3 = arith.mulf %kw3, %k3 : tensor<?xf32>
  %kc01 = arith.addf %kc0, %kc1 : tensor<?xf32>
  %kc23 = arith.addf %kc2, %kc3 : tensor<?xf32>
  %kc = arith.addf %kc01, %kc23 : tensor<?xf32>
  %kneg = arith.negf %kc : tensor<?xf32>
  %kexp = math.exp %kneg : tensor<?xf32>
  %kbelow = arith.addf %kexp, %kones : tensor<?xf32>
  %ks = arith.divf %kc, %kbelow : tensor<?xf32>
  %ksum = qdelta.dot %ks, %ks : tensor<?xf32> -> f32
  %keps = arith.addf %ksum, %tiny : f32
  %kby = math.rsqrt %keps : f32
  %kn = qdelta.scale %ks by %kby : tensor<?xf32>, f32

  %vc0 = arith.mulf %vw0, %v : tensor<?xf32>
  %vc1 = arith.mulf %vw1, %v1 : tensor<?xf32>
  %vc2 = arith.mulf %vw2, %v2 : tensor<?xf32>
  %vc3 = arith.mulf %vw3, %v3 : tensor<?xf32>
  %vc01 = arith.addf %vc0, %vc1 : tensor<?xf32>
  %vc23 = arith.addf %vc2, %vc3 : tensor<?xf32>
  %vc = arith.addf %vc01, %vc23 : tensor<?xf32>
  %vneg = arith.negf %vc : tensor<?xf32>
  %vexp = math.exp %vneg : tensor<?xf32>
  %vbelow = arith.addf %vexp, %vones : tensor<?xf32>
  %vs = arith.divf %vc, %vbelow : tensor<?xf32>

  %x = arith.addf %f, %dt : tensor<?xf32>
  %xa = math.absf %x : tensor<?xf32>
  %xn = arith.negf %xa : tensor<?xf32>
  %xe = math.exp %xn : tensor<?xf32>
  %xl = math.log1p %xe : tensor<?xf32>
  %zeros = qdelta.splat %zero like %x : f32, tensor<?xf32>
  %xm = arith.maximumf %x, %zeros : tensor<?xf32>
  %softplus = arith.addf %xl, %xm : tensor<?xf32>
  %rate = math.exp %A : f32
  %minus = arith.negf %rate : f32
  %g = qdelta.scale %softplus by %minus : tensor<?xf32>, f32
  %bn = arith.negf %b : f32
  %be = math.exp %bn : f32
  %bb = arith.addf %be, %one : f32
  %beta = arith.divf %one, %bb : f32

  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read %Sd at %kn : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %vs, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %kn value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %yr = qdelta.read %Sw at %qn : tensor<?x?xf32>, tensor<?xf32>
  %y = qdelta.scale %yr by %scale : tensor<?xf32>, f32

  %yy = arith.mulf %y, %y : tensor<?xf32>
  %mean = qdelta.mean %yy : tensor<?xf32> -> f32
  %me = arith.addf %mean, %small : f32
  %mr = math.rsqrt %me : f32
  %yn = qdelta.scale %y by %mr : tensor<?xf32>, f32
  %yw = arith.mulf %yn, %w : tensor<?xf32>
  %zneg = arith.negf %z : tensor<?xf32>
  %zexp = math.exp %zneg : tensor<?xf32>
  %zbelow = arith.addf %zexp, %vones : tensor<?xf32>
  %gate = arith.divf %vones, %zbelow : tensor<?xf32>
  %o = arith.mulf %yw, %gate : tensor<?xf32>
  qdelta.yield state %q, %q1, %q2, %k, %k1, %k2, %v, %v1, %v2, %Sw
    : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32>
    out %o : tensor<?xf32>
}
