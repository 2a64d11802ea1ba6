// RUN: qdelta-opt %s -qdelta-copies-to-loops -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @copy(
// CHECK-SAME:  %[[FROM:.*]]: memref<?x4xf32>, %[[TO:.*]]: memref<?x4xf32, strided<[?, 1], offset: ?>>)
// CHECK-NOT:   memref.copy
// CHECK:       %[[ROWS:.*]] = memref.dim %[[FROM]]
// CHECK:       scf.for %[[I:.*]] = %{{.*}} to %[[ROWS]]
// CHECK:         scf.for %[[J:.*]] =
// CHECK:           %[[X:.*]] = memref.load %[[FROM]][%[[I]], %[[J]]]
// CHECK:           memref.store %[[X]], %[[TO]][%[[I]], %[[J]]]
// CHECK-NOT:   memref.copy
func.func @copy(%from: memref<?x4xf32>, %to: memref<?x4xf32, strided<[?, 1], offset: ?>>) {
  memref.copy %from, %to : memref<?x4xf32> to memref<?x4xf32, strided<[?, 1], offset: ?>>
  return
}
