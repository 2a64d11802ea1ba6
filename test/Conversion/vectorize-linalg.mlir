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

// A scalar that each turn loads and stores is in a register, in all loops around.
// CHECK-LABEL: func.func @carried(
// CHECK:       %[[BUFFER:.*]] = memref.alloc()
// CHECK:       %[[FIRST:.*]] = memref.load %[[BUFFER]]
// CHECK-NEXT:  %[[LAST:.*]] = scf.for {{.*}} iter_args(%[[OUTER:.*]] = %[[FIRST]]) -> (f32)
// CHECK:         %[[INNER:.*]] = scf.for {{.*}} iter_args(%[[NOW:.*]] = %[[OUTER]]) -> (f32)
// CHECK-NOT:       memref.{{load|store}} {{.*}}%[[BUFFER]]
// CHECK:           %[[NEXT:.*]] = arith.addf %[[NOW]], %{{.*}} : f32
// CHECK:           scf.yield %[[NEXT]]
// CHECK:         scf.yield %[[INNER]]
// CHECK:       memref.store %[[LAST]], %[[BUFFER]]
func.func @carried(%x: memref<8xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %buffer = memref.alloc() : memref<1x1xf32>
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %buffer[%c0, %c0] : memref<1x1xf32>
  scf.for %j = %c0 to %n step %c1 {
    scf.for %i = %c0 to %c8 step %c1 {
      %0 = memref.load %x[%i] : memref<8xf32>
      %1 = memref.load %buffer[%c0, %c0] : memref<1x1xf32>
      %2 = arith.addf %1, %0 : f32
      memref.store %2, %buffer[%c0, %c0] : memref<1x1xf32>
    }
  }
  memref.dealloc %buffer : memref<1x1xf32>
  return
}

// Not if it is loaded again after it was stored, or at another place.
// CHECK-LABEL: func.func @loaded(
// CHECK-NOT:   iter_args
// CHECK:       return
func.func @loaded(%x: memref<8xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %after = memref.alloc() : memref<1xf32>
  %moving = memref.alloc() : memref<8xf32>
  scf.for %i = %c0 to %n step %c1 {
    %0 = memref.load %after[%c0] : memref<1xf32>
    memref.store %0, %after[%c0] : memref<1xf32>
    %1 = memref.load %after[%c0] : memref<1xf32>
    memref.store %1, %x[%i] : memref<8xf32>
    %2 = memref.load %moving[%i] : memref<8xf32>
    %3 = arith.addf %2, %1 : f32
    memref.store %3, %moving[%i] : memref<8xf32>
  }
  memref.dealloc %after : memref<1xf32>
  memref.dealloc %moving : memref<8xf32>
  return
}
