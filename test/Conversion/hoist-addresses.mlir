// RUN: qdelta-opt %s -qdelta-hoist-addresses | FileCheck %s

// What a loop does not change picks a part of the buffer before it; loop by loop.

// CHECK-LABEL: func.func @rows(
// CHECK-SAME:  %arg0: memref<?x?x?x128xf32>, %[[B:.*]]: index, %{{.*}}: index)
// CHECK:       %[[ENTRY:.*]] = memref.subview %arg0[%[[B]], 0, 0, 0] [1, %{{.*}}, %{{.*}}, 128] [1, 1, 1, 1] : {{.*}} to memref<?x?x128xf32, strided<[?, 128, 1], offset: ?>>
// CHECK:       scf.for %[[T:.*]] = %c0
// CHECK:         %[[H:.*]] = arith.remui
// CHECK:         %[[ROW:.*]] = memref.subview %[[ENTRY]][%[[T]], %[[H]], 0] [1, 1, 128] [1, 1, 1] : {{.*}} to memref<128xf32, strided<[1], offset: ?>>
// CHECK:         scf.for %[[I:.*]] = %c0
// CHECK:           vector.transfer_read %[[ROW]][%[[I]]], %{{.*}} {in_bounds = [true]} : memref<128xf32, strided<[1], offset: ?>>, vector<16xf32>
func.func @rows(%x: memref<?x?x?x128xf32>, %b: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %c128 = arith.constant 128 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %n step %c1 {
    %h = arith.remui %t, %c3 : index
    scf.for %i = %c0 to %c128 step %c16 {
      %row = vector.transfer_read %x[%b, %t, %h, %i], %zero {in_bounds = [true]} : memref<?x?x?x128xf32>, vector<16xf32>
      %twice = arith.addf %row, %row : vector<16xf32>
      vector.transfer_write %twice, %x[%b, %t, %h, %i] {in_bounds = [true]} : vector<16xf32>, memref<?x?x?x128xf32>
    }
  }
  return
}

// The last index stays, and so does a buffer that the loop makes. An index of 0
// costs nothing. Which dimension of one element is left out would be a guess.

// CHECK-LABEL: func.func @nothing
// CHECK-NOT:   memref.subview
// CHECK:       return
func.func @nothing(%x: memref<4x8xf32>, %y: memref<4x1xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %t = %c0 to %c4 step %c1 {
    %own = memref.alloc() : memref<4x8xf32>
    %0 = memref.load %x[%t, %k] : memref<4x8xf32>
    memref.store %0, %own[%k, %t] : memref<4x8xf32>
    %1 = memref.load %x[%c0, %t] : memref<4x8xf32>
    %2 = memref.load %y[%k, %c0] : memref<4x1xf32>
    memref.store %2, %x[%t, %t] : memref<4x8xf32>
    memref.store %1, %own[%t, %t] : memref<4x8xf32>
    memref.dealloc %own : memref<4x8xf32>
  }
  return
}
