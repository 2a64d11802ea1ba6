// Lightning Attention (arXiv 2401.04658) with TransNormerLLM's decays (2307.14995).
//
//   g = -slope (1 - depth)
//   S_t = e^g S_{t-1} + k_t v_t^T    o_t = scale S_t^T q_t
//
// Ranges: any q, k, v; slope = 8 h / H for head h of H, in [0, 8]; depth is the
// layer's number over that of all layers, the same for every head, in [0, 1].
qdelta.recurrence @lightning(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>)
    param(%slope: f32 {qdelta.range = [0.0, 8.0]},
          %depth: f32 {qdelta.range = [0.0, 1.0]}, %scale: f32) {
  %one = arith.constant 1.0 : f32
  %less = arith.subf %depth, %one : f32
  %g = arith.mulf %slope, %less : f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
