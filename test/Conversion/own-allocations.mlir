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

func.func @dynamic(%n: index) {
  // expected-error @below {{cannot be allocated once per call: its shape is dynamic}}
  %0 = memref.alloc(%n) : memref<?xf32>
  return
}
