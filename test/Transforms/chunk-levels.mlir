// RUN: qdelta-opt %s "--pass-pipeline=builtin.module(qdelta-specialize{key=2 value=3},qdelta-derive-affine,qdelta-select-schedule{chunk=2},qdelta-chunk,cse)" | FileCheck %s

// Of each head the output is what level 0 makes, to which others add: blocks of one, two,
// four tokens, and so on, with what says where they begin and which halves write and
// read, for all tokens of the head. Each level starts from its own state and leaves it.

// CHECK-LABEL: func.func @sums_forward
// CHECK-SAME:  -> (tensor<?x?x?x3xf32>, tensor<?x?x2x3xf32>)
// CHECK-NOT:   qdelta.fenwick
// CHECK:       scf.forall (%[[BATCH:.*]], %[[HEAD:.*]]) in
// CHECK:         tensor.extract %arg4[%[[BATCH]]] : tensor<?xi32>
// CHECK:         scf.for %[[LEVEL:.*]] = %c0 to %{{.*}} iter_args({{.*}}, %[[SIZE:.*]] = %c1)
// CHECK:           %[[HALF:.*]] = arith.divui %[[SIZE]], %c2
// CHECK:           %[[FIRST:.*]] = arith.maxui %[[HALF]], %c1
// CHECK:           scf.for %[[TOKEN:.*]] = %c0
// CHECK:             %[[NUMBER:.*]] = arith.addi %[[TOKEN]], %{{.*}} : index
// CHECK:             %[[AT:.*]] = arith.remui %[[NUMBER]], %[[SIZE]]
// CHECK:             arith.cmpi eq, %[[AT]], %c0
// CHECK:             arith.cmpi ult, %[[AT]], %[[FIRST]]
// CHECK:             arith.cmpi uge, %[[AT]], %[[HALF]]
// CHECK:           tensor.extract_slice %arg2[0, 0, 0, %[[LEVEL]]]
// CHECK:           %[[ALL:.*]] = arith.addi %{{.*}}, %[[LEVEL]] : index
// CHECK:           tensor.extract_slice %arg3[%[[BATCH]], %[[ALL]], 0, 0] [1, 1, 2, 3]
// CHECK:           tensor.extract_slice %{{.*}}[%c0, %[[LEVEL]], 0, 0] [1, 1, 2, 3]
// CHECK:           %[[SUM:.*]] = qdelta.load_tile %{{.*}} columns %{{.*}} : tensor<1x?x1x3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:      %[[MORE:.*]] = arith.addf %[[SUM]], %[[OWN:.*]] :
// CHECK-NEXT:      %[[OUT:.*]] = arith.select %{{.*}}, %[[MORE]], %[[OWN]] : tensor<2x3xf32>
// CHECK-NEXT:      qdelta.store_tile %[[OUT]]
// CHECK:           tensor.insert_slice %{{.*}} into %{{.*}}[0, %[[LEVEL]], 0, 0]
// CHECK:           arith.muli %[[SIZE]], %c2
qdelta.recurrence @sums(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %lambda: f32 {qdelta.levels = "fenwick"}) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %lambda : tensor<?xf32>, f32
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}
