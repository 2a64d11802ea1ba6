!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @smith_103(state %S: !mat)
    token(%k1: !vec {qdelta.unit},
          %v1: !vec,
          %b1: f32 {qdelta.range = [-1.0000, 1.0000]},
          %b2: f32 {qdelta.range = [-1.0000, 1.0000]},
          %b3: f32 {qdelta.range = [-1.0000, 1.0000]},
          %b4: f32 {qdelta.range = [-1.0000, 1.0000]},
          %b5: f32 {qdelta.range = [-1.0000, 1.0000]})
    param(%c1: f32 {qdelta.range = [0.0000, 1.0000]},
          %c2: f32 {qdelta.range = [-0.5000, 0.5000]}) {
  %y1 = qdelta.read %S at %k1 : !mat, !vec
  %t1 = qdelta.scale %y1 by %c1 : !vec, f32
  %t2 = arith.negf %t1 : !vec
  %S1 = qdelta.write %S key %k1 value %t2 : !mat, !vec, !vec
  %t3 = qdelta.scale %v1 by %b1 : !vec, f32
  %t4 = qdelta.scale %y1 by %c2 : !vec, f32
  %t5 = arith.subf %t3, %t4 : !vec
  %S2 = qdelta.write %S1 key %k1 value %t5 : !mat, !vec, !vec
  %y2 = qdelta.read %S2 at %k1 : !mat, !vec
  %y3 = qdelta.read %S2 at %k1 : !mat, !vec
  %y4 = qdelta.read %S2 at %k1 : !mat, !vec
  %y5 = qdelta.read %S2 at %k1 : !mat, !vec
  %t6 = arith.addf %y1, %y2 : !vec
  %t7 = qdelta.scale %y4 by %b2 : !vec, f32
  %t8 = arith.addf %t6, %t7 : !vec
  %t9 = arith.mulf %b3, %b4 : f32
  %t10 = qdelta.scale %y2 by %t9 : !vec, f32
  %t11 = arith.negf %t10 : !vec
  %t12 = qdelta.scale %y5 by %b5 : !vec, f32
  %t13 = arith.subf %t11, %t12 : !vec
  qdelta.yield state %S2 : !mat out %t8, %t13 : !vec, !vec
}
