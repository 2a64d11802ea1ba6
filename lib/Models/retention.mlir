// Retention (RetNet, arXiv 2307.08621).
//
//   S_t = e^g S_{t-1} + k_t v_t^T    o_t = scale S_t^T q_t
//
// Ranges: g is one log decay per head, log(1 - 2^(-5 - h)) in the paper; q and k
// already rotated. The gate and group norm around the core are the caller's.
qdelta.recurrence @retention(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit},
          %v: tensor<?xf32>)
    param(%g: f32 {qdelta.log_decay}, %scale: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
