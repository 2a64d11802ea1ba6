// DeltaProduct (arXiv 2502.10297) with three steps a token.
//
//   S_(0) = S_{t-1}
//   S_(j) = S_(j-1) + b_j k_j (v_j - S_(j-1)^T k_j)^T        j = 1, 2, 3
//   S_t = S_(3)              o_t = scale S_t^T q_t
//
// For another number of steps repeat the four ops that make the next state, with
// a key, a value and a beta of their own. Ranges: k1, k2, k3 of norm 1; b1, b2, b3
// in [0, 2], in the paper 2 sigmoid(x), so that a step may reflect.
qdelta.recurrence @delta_product(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit},
          %k1: tensor<?xf32> {qdelta.unit}, %v1: tensor<?xf32>,
          %b1: f32 {qdelta.range = [0.0, 2.0]},
          %k2: tensor<?xf32> {qdelta.unit}, %v2: tensor<?xf32>,
          %b2: f32 {qdelta.range = [0.0, 2.0]},
          %k3: tensor<?xf32> {qdelta.unit}, %v3: tensor<?xf32>,
          %b3: f32 {qdelta.range = [0.0, 2.0]})
    param(%scale: f32) {
  %p1 = qdelta.read %S at %k1 : tensor<?x?xf32>, tensor<?xf32>
  %d1 = arith.subf %v1, %p1 : tensor<?xf32>
  %e1 = qdelta.scale %d1 by %b1 : tensor<?xf32>, f32
  %S1 = qdelta.write %S key %k1 value %e1 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>

  %p2 = qdelta.read %S1 at %k2 : tensor<?x?xf32>, tensor<?xf32>
  %d2 = arith.subf %v2, %p2 : tensor<?xf32>
  %e2 = qdelta.scale %d2 by %b2 : tensor<?xf32>, f32
  %S2 = qdelta.write %S1 key %k2 value %e2 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>

  %p3 = qdelta.read %S2 at %k3 : tensor<?x?xf32>, tensor<?xf32>
  %d3 = arith.subf %v3, %p3 : tensor<?xf32>
  %e3 = qdelta.scale %d3 by %b3 : tensor<?xf32>, f32
  %S3 = qdelta.write %S2 key %k3 value %e3 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>

  %y = qdelta.read %S3 at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %S3 : tensor<?x?xf32> out %o : tensor<?xf32>
}
