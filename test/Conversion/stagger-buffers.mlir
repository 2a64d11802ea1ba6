// RUN: qdelta-opt %s -qdelta-stagger-buffers | FileCheck %s

// Those of a page or more begin at different places of a page.
// CHECK-LABEL: func.func @three(
// CHECK:       %[[A:.*]] = memref.alloc() {alignment = 4096 : i64} : memref<8192xi8>
// CHECK:       %[[FIRST:.*]] = memref.view %[[A]][%{{c0.*}}][] : memref<8192xi8> to memref<2048xf32>
// CHECK:       memref.alloc() {alignment = 64 : i64} : memref<16xf32>
// CHECK:       %[[B:.*]] = memref.alloc() {alignment = 4096 : i64} : memref<9536xi8>
// CHECK:       memref.view %[[B]][%c1344][] : memref<9536xi8> to memref<2x1024xf32>
// CHECK:       %[[C:.*]] = memref.alloc() {alignment = 4096 : i64} : memref<6784xi8>
// CHECK:       memref.view %[[C]][%c2688][] : memref<6784xi8> to memref<512xf64>
// CHECK:       memref.store %{{.*}}, %[[FIRST]]
// CHECK:       memref.dealloc %[[A]] : memref<8192xi8>
// CHECK:       memref.dealloc %[[B]] : memref<9536xi8>
// CHECK:       memref.dealloc %[[C]] : memref<6784xi8>
func.func @three(%x: f32) {
  %c0 = arith.constant 0 : index
  %a = memref.alloc() {alignment = 64 : i64} : memref<2048xf32>
  %small = memref.alloc() {alignment = 64 : i64} : memref<16xf32>
  %b = memref.alloc() {alignment = 64 : i64} : memref<2x1024xf32>
  %c = memref.alloc() {alignment = 64 : i64} : memref<512xf64>
  memref.store %x, %a[%c0] : memref<2048xf32>
  memref.dealloc %a : memref<2048xf32>
  memref.dealloc %b : memref<2x1024xf32>
  memref.dealloc %c : memref<512xf64>
  memref.dealloc %small : memref<16xf32>
  return
}

// One alone meets no other.
// CHECK-LABEL: func.func @alone(
// CHECK:       memref.alloc() {alignment = 64 : i64} : memref<2048xf32>
// CHECK-NOT:   memref.view
func.func @alone(%n: index) {
  %a = memref.alloc() {alignment = 64 : i64} : memref<2048xf32>
  %b = memref.alloc(%n) {alignment = 64 : i64} : memref<?xf32>
  memref.dealloc %a : memref<2048xf32>
  memref.dealloc %b : memref<?xf32>
  return
}
