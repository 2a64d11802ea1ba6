// RUN: qdelta-opt %s -qdelta-lower-triangular-solve | FileCheck %s
// RUN: qdelta-opt %s -qdelta-lower-triangular-solve="vectors" | FileCheck %s --check-prefix=VECTOR

// Row i gains the sum of the products of L[i, k] with each solved row k < i.

// CHECK-LABEL: func.func @solve(
// CHECK-SAME:  %[[L:.*]]: tensor<6x6xf32>, %[[R:.*]]: tensor<6x8xf32>)
// CHECK:       %[[X:.*]] = scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[ROWS:.*]] = %[[R]])
// CHECK:         %[[ZEROS:.*]] = linalg.fill
// CHECK:         %[[TERMS:.*]] = scf.for %[[K:.*]] = %{{.*}} to %[[I]] step %{{.*}} iter_args(%[[SUM:.*]] = %[[ZEROS]])
// CHECK:           tensor.extract %[[L]][%[[I]], %[[K]]]
// CHECK:           tensor.extract_slice %[[ROWS]][%[[K]], 0] [1, 8]
// CHECK:           linalg.generic {{.*}} outs(%[[SUM]]
// CHECK:         %[[ROW:.*]] = tensor.extract_slice %[[ROWS]][%[[I]], 0] [1, 8]
// CHECK:         linalg.generic {{.*}} ins({{.*}}, %[[ROW]]{{.*}} outs(%[[TERMS]]
// CHECK:         tensor.insert_slice %{{.*}} into %[[ROWS]][%[[I]], 0] [1, 8]
// CHECK:       return %[[X]]

// Three rows at a time, since four do not divide six.
// VECTOR-LABEL: func.func @solve(
// VECTOR-SAME:  %[[L:.*]]: tensor<6x6xf32>, %[[R:.*]]: tensor<6x8xf32>)
// VECTOR-DAG:   %[[C6:.*]] = arith.constant 6 : index
// VECTOR-DAG:   %[[C3:.*]] = arith.constant 3 : index
// VECTOR:       scf.for %[[I:.*]] = %{{.*}} to %[[C6]] step %[[C3]] iter_args(%[[ROWS:.*]] = %[[R]])
// VECTOR-COUNT-3: vector.transfer_read %[[ROWS]]
// VECTOR:         scf.for %[[K:.*]] = %{{.*}} to %[[I]]
// VECTOR-COUNT-3:   vector.fma
// VECTOR:         scf.yield
// Within the block: 0 + 1 + 2 products.
// VECTOR:         arith.addf
// VECTOR:         vector.transfer_write
// VECTOR-COUNT-1: vector.fma
// VECTOR:         arith.addf
// VECTOR:         vector.transfer_write
// VECTOR-COUNT-2: vector.fma
// VECTOR-NOT:     vector.fma
// VECTOR:         arith.addf
// VECTOR:         vector.transfer_write
func.func @solve(%l: tensor<6x6xf32>, %r: tensor<6x8xf32>) -> tensor<6x8xf32> {
  %0 = qdelta.triangular_solve %l, %r : tensor<6x6xf32>, tensor<6x8xf32>
  return %0 : tensor<6x8xf32>
}
