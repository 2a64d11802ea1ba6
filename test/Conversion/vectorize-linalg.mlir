// RUN: qdelta-opt %s -qdelta-vectorize-linalg | FileCheck %s

// Four rows by the whole width; a product becomes outer products whose sums
// stay in registers over the reduction.
// CHECK-LABEL: func.func @matmul(
// CHECK-SAME:  %[[A:.*]]: memref<8x6xf32>, %[[B:.*]]: memref<6x16xf32>, %[[C:.*]]: memref<8x16xf32>)
// CHECK:       scf.for
// CHECK-COUNT-4: vector.transfer_read %[[C]]
// CHECK:         scf.for {{.*}} iter_args({{.*}}vector<
// CHECK-COUNT-4:   vector.fma {{.*}} : vector<16xf32>
// CHECK-NOT:       vector.transfer_write
// CHECK:           scf.yield
// CHECK-COUNT-4: vector.transfer_write {{.*}}, %[[C]]
// CHECK-NOT:   linalg.
func.func @matmul(%a: memref<8x6xf32>, %b: memref<6x16xf32>, %c: memref<8x16xf32>) {
  linalg.matmul ins(%a, %b : memref<8x6xf32>, memref<6x16xf32>) outs(%c : memref<8x16xf32>)
  return
}

// Of seven rows none is left over: tiles shrink to a divisor.
// CHECK-LABEL: func.func @odd(
// CHECK:       vector<5xf32>
// CHECK-NOT:   linalg.
// CHECK:       return
func.func @odd(%a: memref<7x3xf32>, %b: memref<3x5xf32>, %c: memref<7x5xf32>) {
  linalg.matmul ins(%a, %b : memref<7x3xf32>, memref<3x5xf32>) outs(%c : memref<7x5xf32>)
  return
}

// Dynamic shapes and lanes that are not contiguous stay as they are.
// CHECK-LABEL: func.func @dynamic(
// CHECK:       linalg.matmul
func.func @dynamic(%a: memref<?x6xf32>, %b: memref<6x16xf32>, %c: memref<?x16xf32>) {
  linalg.matmul ins(%a, %b : memref<?x6xf32>, memref<6x16xf32>) outs(%c : memref<?x16xf32>)
  return
}
// CHECK-LABEL: func.func @transpose(
// CHECK:       linalg.transpose
func.func @transpose(%a: memref<8x16xf32>, %b: memref<16x8xf32>) {
  linalg.transpose ins(%a : memref<8x16xf32>) outs(%b : memref<16x8xf32>) permutation = [1, 0]
  return
}
