// Linear attention without decay (Katharopoulos et al., arXiv 2006.16236).
//
//   S_t = S_{t-1} + k_t v_t^T        o_t = scale S_t^T q_t
//
// Ranges: any q, k, v; feature maps are the caller's. scale is usually K^-1/2.
qdelta.recurrence @additive(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>)
    param(%scale: f32) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
