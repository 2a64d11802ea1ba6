// RUN: qdelta-opt %s -qdelta-carry-rows | FileCheck %s

// What crosses to the next round stays in registers; a place that is written
// twice or not read at all is carried, too.
// CHECK-LABEL: func.func @crosses(
// CHECK:       %[[BUFFER:.*]] = memref.alloc
// CHECK:       scf.for %[[I:.*]] =
// CHECK-DAG:     %[[A:.*]] = vector.transfer_read %[[BUFFER]][%[[I]], %c0, %c0]
// CHECK-DAG:     %[[B:.*]] = vector.transfer_read %[[BUFFER]][%[[I]], %c1, %c0]
// CHECK:         %[[LOOP:.*]]:2 = scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>) {
// CHECK-NOT:       vector.transfer
// CHECK:           scf.yield
// CHECK:         }
// CHECK-DAG:     vector.transfer_write %[[LOOP]]#{{[01]}}, %[[BUFFER]][%[[I]], %c0, %c0]
// CHECK-DAG:     vector.transfer_write %[[LOOP]]#{{[01]}}, %[[BUFFER]][%[[I]], %c1, %c0]
// CHECK:       }
func.func @crosses(%n: index, %x: vector<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %pad = arith.constant 0.0 : f32
  %buffer = memref.alloc() : memref<8x2x16xf32>
  scf.for %i = %c0 to %c8 step %c1 {
    scf.for %j = %c0 to %n step %c1 {
      %a = vector.transfer_read %buffer[%i, %c0, %c0], %pad {in_bounds = [true]} : memref<8x2x16xf32>, vector<16xf32>
      %b = arith.addf %a, %x : vector<16xf32>
      vector.transfer_write %x, %buffer[%i, %c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<8x2x16xf32>
      vector.transfer_write %b, %buffer[%i, %c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<8x2x16xf32>
      vector.transfer_write %a, %buffer[%i, %c1, %c0] {in_bounds = [true]} : vector<16xf32>, memref<8x2x16xf32>
    }
  }
  memref.dealloc %buffer : memref<8x2x16xf32>
  return
}

// A read behind a write has what was written.
// CHECK-LABEL: func.func @order(
// CHECK:       scf.for {{.*}} iter_args(%[[OLD:.*]] = %{{.*}})
// CHECK-NEXT:    %[[NEW:.*]] = arith.addf %[[OLD]], %{{.*}}
// CHECK-NEXT:    %[[TWICE:.*]] = arith.addf %[[NEW]], %[[OLD]]
// CHECK-NEXT:    scf.yield %[[TWICE]]
func.func @order(%n: index, %x: vector<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %pad = arith.constant 0.0 : f32
  %buffer = memref.alloc() : memref<1x16xf32>
  scf.for %j = %c0 to %n step %c1 {
    %a = vector.transfer_read %buffer[%c0, %c0], %pad {in_bounds = [true]} : memref<1x16xf32>, vector<16xf32>
    %b = arith.addf %a, %x : vector<16xf32>
    vector.transfer_write %b, %buffer[%c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<1x16xf32>
    %c = vector.transfer_read %buffer[%c0, %c0], %pad {in_bounds = [true]} : memref<1x16xf32>, vector<16xf32>
    %d = arith.addf %c, %a : vector<16xf32>
    vector.transfer_write %d, %buffer[%c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<1x16xf32>
  }
  memref.dealloc %buffer : memref<1x16xf32>
  return
}

// These stay: a place that the loop changes, an access in a loop within, an
// access to part of a row, a view, a buffer of the caller.
// CHECK-LABEL: func.func @stays(
// CHECK-NOT:   iter_args
// CHECK:       return
func.func @stays(%n: index, %x: vector<16xf32>, %y: vector<8xf32>, %caller: memref<1x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %pad = arith.constant 0.0 : f32
  %moves = memref.alloc() : memref<8x16xf32>
  %within = memref.alloc() : memref<1x16xf32>
  %part = memref.alloc() : memref<1x16xf32>
  %viewed = memref.alloc() : memref<1x16xf32>
  %view = memref.subview %viewed[0, 0] [1, 16] [1, 1] : memref<1x16xf32> to memref<16xf32>
  scf.for %j = %c0 to %n step %c1 {
    vector.transfer_write %x, %moves[%j, %c0] {in_bounds = [true]} : vector<16xf32>, memref<8x16xf32>
    scf.for %k = %c0 to %n step %c1 {
      vector.transfer_write %x, %moves[%k, %c0] {in_bounds = [true]} : vector<16xf32>, memref<8x16xf32>
      memref.store %pad, %within[%c0, %k] : memref<1x16xf32>
    }
    vector.transfer_write %x, %within[%c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<1x16xf32>
    vector.transfer_write %x, %part[%c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<1x16xf32>
    vector.transfer_write %y, %part[%c0, %c0] {in_bounds = [true]} : vector<8xf32>, memref<1x16xf32>
    vector.transfer_write %x, %viewed[%c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<1x16xf32>
    memref.store %pad, %view[%c0] : memref<16xf32>
    vector.transfer_write %x, %caller[%c0, %c0] {in_bounds = [true]} : vector<16xf32>, memref<1x16xf32>
  }
  memref.dealloc %moves : memref<8x16xf32>
  memref.dealloc %within : memref<1x16xf32>
  memref.dealloc %part : memref<1x16xf32>
  memref.dealloc %viewed : memref<1x16xf32>
  return
}
