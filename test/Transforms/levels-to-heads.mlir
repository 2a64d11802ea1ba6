// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-levels-to-heads | FileCheck %s
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-levels-to-heads -qdelta-check-derivation

// Level l of head h is head h L + l of a list without levels. The parameter has a number
// for each head of the function, and becomes a sequence that levels share.

// CHECK-LABEL: func.func @sums_forward
// CHECK-SAME:  (%[[K:.*]]: tensor<?x?x?x?xf32>, %{{.*}}: tensor<?x?x?x?xf32>, %[[L:.*]]: tensor<?x?x?x?xf32>, %[[SKIP:.*]]: tensor<?xf32>, %[[S:.*]]: tensor<?x?x?x?xf32>, %[[P:.*]]: tensor<?xi32>)
// CHECK:       %[[MASKS:.*]], %{{.*}}, %{{.*}} = qdelta.fenwick like %[[L]] position(%[[P]] : tensor<?xi32>)
// CHECK:       tensor.collapse_shape %[[L]] {{\[\[}}0], [1], [2, 3]]
// CHECK:       tensor.collapse_shape %[[MASKS]] {{\[\[}}0], [1], [2, 3]]
// CHECK:       %[[HEADS:.*]] = tensor.dim %[[L]], %c2
// CHECK:       %[[SKIPS:.*]] = qdelta.prescan
// CHECK:       %[[LIST:.*]]:2 = qdelta.affine_scan({{.*}}, %[[SKIPS]]) init(%[[S]]) attributes
// CHECK:       %[[O:.*]] = qdelta.add_levels %[[LIST]]#0 like %[[L]]
// CHECK:       return %[[O]], %[[LIST]]#1
qdelta.recurrence @sums(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %lambda: f32 {qdelta.levels = "fenwick"})
    param(%skip: f32) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %n = qdelta.scale %y by %lambda : tensor<?xf32>, f32
  %own = qdelta.scale %v by %skip : tensor<?xf32>, f32
  %o = arith.addf %n, %own : tensor<?xf32>
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}
