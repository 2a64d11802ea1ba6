// RUN: qdelta-opt %s "-pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=4 entry=packed},qdelta-to-affine,qdelta-to-chunked{chunk=16 target=avx512})" | FileCheck %s

// An item is a sequence and a head. It works on its own tokens, so that chunks
// begin where its sequence does; what it makes for itself lies in memory that
// does for all.

// CHECK: func.func @step_packed(%[[K:.*]]: tensor<1x?x?x4xf32>, %[[V:.*]]: tensor<1x?x?x4xf32>, %{{.*}}: tensor<?x?x4xf32>, %[[S:.*]]: tensor<?x?x4x4xf32>, %[[CU:.*]]: tensor<?xi32>)
// CHECK: %[[T:.*]] = tensor.dim %[[K]], %c1
// CHECK: tensor.empty(%[[T]], %{{.*}}) : tensor<1x?x?x4xf32>
// CHECK: scf.forall (%[[N:.*]], %[[H:.*]]) in
// CHECK: %[[B32:.*]] = tensor.extract %[[CU]][%[[N]]] : tensor<?xi32>
// CHECK: %[[BEGIN:.*]] = arith.index_cast %[[B32]] : i32 to index
// CHECK: %[[NEXT:.*]] = arith.addi %[[N]], %c1
// CHECK: %[[E32:.*]] = tensor.extract %[[CU]][%[[NEXT]]] : tensor<?xi32>
// CHECK: %[[END:.*]] = arith.index_cast %[[E32]] : i32 to index
// CHECK: %[[LENGTH:.*]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK: tensor.extract_slice %[[K]][0, %[[BEGIN]], 0, 0] [1, %[[LENGTH]], %{{.*}}, 4]
// CHECK: %[[OWN:.*]] = tensor.empty(%[[T]]) : tensor<1x?x1x4xf32>
// CHECK: %[[MADE:.*]]:2 = scf.for %{{.*}} = %c0{{.*}} to %[[LENGTH]] {{.*}} = %[[OWN]])
// CHECK: tensor.extract_slice %[[V]][0, %[[BEGIN]], 0, 0] [1, %[[LENGTH]], %{{.*}}, 4]
// CHECK: tensor.extract_slice %[[MADE]]#1[0, 0, 0, 0] [1, %[[LENGTH]], 1, 4]
// CHECK: qdelta.chunk_valid %{{.*}} of %[[LENGTH]]
// CHECK: tensor.parallel_insert_slice %{{.*}} into %{{.*}}[0, %[[BEGIN]], %[[H]], 0] [1, %[[LENGTH]], 1, 4]
qdelta.recurrence @step(state %n: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %m = arith.addf %n, %k : tensor<?xf32>
  %0 = qdelta.write %S key %m value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %m, %0 : tensor<?xf32>, tensor<?x?xf32> out %1 : tensor<?xf32>
}
