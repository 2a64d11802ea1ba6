// RUN: qdelta-opt %s -qdelta-own-allocations -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @loop(
// CHECK-NEXT:  %[[INNER:.*]] = memref.alloc() {alignment = 64 : i64} : memref<4xf32>
// CHECK-NEXT:  %[[OUTER:.*]] = memref.alloc() {alignment = 64 : i64} : memref<8xf32>
// CHECK:       scf.for
// CHECK-NOT:     memref.alloc
// CHECK:         memref.store %{{.*}}, %[[INNER]]
// CHECK:       }
// CHECK-DAG:   memref.dealloc %[[INNER]] :
// CHECK-DAG:   memref.dealloc %[[OUTER]] :
// CHECK-NEXT:  return
// CHECK-NOT:   memref.dealloc
func.func @loop(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %outer = memref.alloc() : memref<8xf32>
  memref.store %x, %outer[%c0] : memref<8xf32>
  scf.for %i = %c0 to %n step %c1 {
    %inner = memref.alloc() : memref<4xf32>
    memref.store %x, %inner[%c0] : memref<4xf32>
  }
  return
}

// -----

// A dynamic one stands in front of the outermost loop around it.
// CHECK-LABEL: func.func @dynamic
// CHECK:       %[[N:.*]] = memref.dim
// CHECK:       %[[A:.*]] = memref.alloc(%[[N]]) {alignment = 64 : i64} : memref<?xf32>
// CHECK:       scf.for
// CHECK:         scf.for
// CHECK:       memref.dealloc %[[A]]
func.func @dynamic(%m: memref<?xf32>, %end: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = arith.constant 1.0 : f32
  %n = memref.dim %m, %c0 : memref<?xf32>
  scf.for %i = %c0 to %end step %c1 {
    scf.for %j = %c0 to %end step %c1 {
      %0 = memref.alloc(%n) : memref<?xf32>
      memref.store %x, %0[%c0] : memref<?xf32>
    }
  }
  return
}

// -----

func.func @in_loop(%end: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %end step %c1 {
    %n = arith.addi %i, %c1 : index
    // expected-error @below {{cannot be allocated once per call: its size is not known outside of its loop}}
    %0 = memref.alloc(%n) : memref<?xf32>
  }
  return
}
