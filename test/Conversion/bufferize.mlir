// RUN: qdelta-opt %s -qdelta-bufferize -split-input-file -verify-diagnostics | FileCheck %s

// Tokens and states have any strides but 1 in their last dimension; scalars'
// sequences have any. The destination is written in place, no result is left.

// CHECK-LABEL: func.func @add(
// CHECK-SAME:  memref<?x?x?x8xf32, strided<[?, ?, ?, 1], offset: ?>>
// CHECK-SAME:  memref<?x?x?xf32, strided<[?, ?, ?], offset: ?>>
// CHECK-SAME:  %[[D:.*]]: memref<?x8xf32, strided<[?, 1], offset: ?>>
// CHECK-NOT:   ->
// CHECK-NOT:   memref.alloc
// CHECK-NOT:   memref.copy
// CHECK:       memref.store %{{.*}}, %[[D]]
// CHECK:       return{{$}}
func.func @add(%x: tensor<?x?x?x8xf32>, %g: tensor<?x?x?xf32>, %d: tensor<?x8xf32> {bufferization.writable = true}, %i: index) -> tensor<?x8xf32> {
  %0 = tensor.extract %x[%i, %i, %i, %i] : tensor<?x?x?x8xf32>
  %1 = tensor.extract %g[%i, %i, %i] : tensor<?x?x?xf32>
  %2 = arith.addf %0, %1 : f32
  %3 = tensor.insert %2 into %d[%i, %i] : tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// A prefetch is a hint for each row and cache line, and copies nothing. Rows past
// the last token are hinted at, too: asking costs more than such a hint.
// CHECK-LABEL: func.func @hint(
// CHECK-NOT:   memref.alloc
// CHECK-NOT:   memref.dim
// CHECK:       %[[FIRST:.*]] = arith.addi %arg1, %c0
// CHECK-COUNT-2: memref.prefetch %{{.*}}[%arg1, %[[FIRST]], %arg1, %{{.*}}], read
// CHECK:       %[[SECOND:.*]] = arith.addi %arg1, %c1
// CHECK-COUNT-2: memref.prefetch %{{.*}}[%arg1, %[[SECOND]], %arg1, %{{.*}}], read
// CHECK-NOT:   memref.prefetch
// CHECK:       return
func.func @hint(%x: tensor<?x?x?x32xf32>, %i: index) {
  qdelta.prefetch %x[%i, %i, %i] columns %i by 32 rows 2 : tensor<?x?x?x32xf32>
  return
}

// CHECK-LABEL: func.func @hint_write(
// CHECK:       memref.prefetch {{.*}} write
func.func @hint_write(%x: tensor<?x?x?x32xf32>, %i: index) {
  qdelta.prefetch %x[%i, %i, %i] columns %i by 16 rows 1 for_write : tensor<?x?x?x32xf32>
  return
}

// Recurrences stay what they are.
// CHECK-LABEL: qdelta.recurrence @f(state %S: tensor<?x?xf32>)
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// A result that is computed elsewhere would have to be copied.
// expected-error @below {{result 0 was not computed in its destination}}
func.func @elsewhere(%d: tensor<8xf32> {bufferization.writable = true}) -> tensor<8xf32> attributes {qdelta.recurrence = @step} {
  %c = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.fill ins(%c : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// expected-error @below {{expected a function that is one qdelta.scan over all of its arguments, in order, and returns the scan's results; any other has no kernel, only engine reference evaluates it}}
func.func @other(%d: tensor<8xf32> {bufferization.writable = true}) -> tensor<8xf32> {
  %c = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.fill ins(%c : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
