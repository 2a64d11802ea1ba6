// RUN: qdelta-opt %s -qdelta-strip-rows -split-input-file | FileCheck %s

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// A row of 20 is two strips of 8 and one of 4. The sum is finished after the
// loop, and what depends on it has a loop of its own: the row that it needs is
// loaded again, the product is kept in a buffer.

// CHECK-LABEL: func.func @sum_then_scale
// CHECK:       %[[KEPT:.*]] = memref.alloc() {alignment = 64 : i64} : memref<20xf32>
// CHECK:       %[[SUM:.*]] = scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}) -> (vector<8xf32>)
// CHECK:         %[[X:.*]] = vector.transfer_read %arg0[%{{.*}}, %[[I]]]{{.*}} vector<8xf32>
// CHECK:         %[[P:.*]] = arith.mulf %[[X]], %[[X]] : vector<8xf32>
// CHECK:         vector.transfer_write %[[P]], %[[KEPT]][%[[I]]]
// CHECK:         arith.addf %[[ACC]], %[[P]] : vector<8xf32>
// CHECK:       vector.reduction <add>, %{{.*}} : vector<8xf32> into f32
// CHECK:       vector.transfer_read {{.*}} vector<4xf32>
// CHECK:       vector.reduction <add>, %{{.*}} : vector<4xf32> into f32
// CHECK:       %[[R:.*]] = arith.divf
// CHECK:       vector.broadcast %[[R]] : f32 to vector<8xf32>
// CHECK:       scf.for
// CHECK:         vector.transfer_read %[[KEPT]]
// CHECK:         vector.transfer_read %arg0
// CHECK:         vector.transfer_write %{{.*}}, %arg1
// CHECK-NOT:   vector<20xf32>
// CHECK:       memref.dealloc %[[KEPT]]
func.func @sum_then_scale(%x: memref<2x20xf32>, %y: memref<2x20xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %row = vector.transfer_read %x[%c1, %c0], %zero {in_bounds = [true]} : memref<2x20xf32>, vector<20xf32>
  %square = arith.mulf %row, %row : vector<20xf32>
  %sum = vector.reduction <add>, %square : vector<20xf32> into f32
  %scale = arith.divf %one, %sum : f32
  %by = vector.broadcast %scale : f32 to vector<20xf32>
  %scaled = arith.mulf %square, %by : vector<20xf32>
  %total = arith.addf %scaled, %row : vector<20xf32>
  vector.transfer_write %total, %y[%c0, %c0] {in_bounds = [true]} : vector<20xf32>, memref<2x20xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// Rows that start at different columns of a buffer that is written to may not be
// cut: a strip would read what another has written.
// CHECK-LABEL: func.func @shifted
// CHECK-NOT:   scf.for
// CHECK:       vector<20xf32>
func.func @shifted(%x: memref<2x40xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %row = vector.transfer_read %x[%c0, %c1], %zero {in_bounds = [true]} : memref<2x40xf32>, vector<20xf32>
  vector.transfer_write %row, %x[%c0, %c0] {in_bounds = [true]} : vector<20xf32>, memref<2x40xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// Nor may rows that another op of the block writes to, or that a shuffle mixes.
// CHECK-LABEL: func.func @stored
// CHECK-NOT:   scf.for
// CHECK:       return
func.func @stored(%x: memref<2x20xf32>, %y: memref<2x20xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %x[%c0, %c0] : memref<2x20xf32>
  %row = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true]} : memref<2x20xf32>, vector<20xf32>
  vector.transfer_write %row, %y[%c0, %c0] {in_bounds = [true]} : vector<20xf32>, memref<2x20xf32>
  return
}
// CHECK-LABEL: func.func @mixed
// CHECK-NOT:   scf.for
// CHECK:       return
func.func @mixed(%x: memref<2x20xf32>, %y: memref<2x20xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %row = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true]} : memref<2x20xf32>, vector<20xf32>
  %turned = vector.shuffle %row, %row [19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0] : vector<20xf32>, vector<20xf32>
  vector.transfer_write %turned, %y[%c0, %c0] {in_bounds = [true]} : vector<20xf32>, memref<2x20xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// Rows of inputs and of numbers that a loop does not change are made in its
// strips, wherever they stand.
// CHECK-LABEL: func.func @fixed
// CHECK-NOT:   vector<32xf32>
// CHECK:       scf.for
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           vector.transfer_read %arg0[%{{.*}}, %[[I]]]{{.*}} vector<8xf32>
// CHECK:         }
// CHECK-NOT:   vector<32xf32>
// CHECK:       return
func.func @fixed(%w: memref<2x32xf32>, %y: memref<4x32xf32>, %a: f32) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %row = vector.transfer_read %w[%c1, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %all = vector.broadcast %a : f32 to vector<32xf32>
  scf.for %t = %c0 to %c4 step %c1 {
    %sum = arith.addf %row, %all : vector<32xf32>
    vector.transfer_write %sum, %y[%t, %c0] {in_bounds = [true]} : vector<32xf32>, memref<4x32xf32>
  }
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// What is written to in the function stays: the row is what was there before.
// CHECK-LABEL: func.func @written
// CHECK:       vector.transfer_read {{.*}} vector<32xf32>
// CHECK:       scf.for
// CHECK:         vector.transfer_write {{.*}} vector<32xf32>
func.func @written(%y: memref<4x32xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %row = vector.transfer_read %y[%c1, %c0], %zero {in_bounds = [true]} : memref<4x32xf32>, vector<32xf32>
  scf.for %t = %c0 to %c4 step %c1 {
    %sum = arith.addf %row, %row : vector<32xf32>
    vector.transfer_write %sum, %y[%t, %c0] {in_bounds = [true]} : vector<32xf32>, memref<4x32xf32>
  }
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// The steps of a function wait for one another: two registers go at once.
// CHECK-LABEL: func.func @function
// CHECK:       scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c16
// CHECK:         math.exp %{{.*}} : vector<16xf32>
func.func @function(%x: memref<2x32xf32>, %y: memref<4x32xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %row = vector.transfer_read %x[%c1, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %e = math.exp %row : vector<32xf32>
  vector.transfer_write %e, %y[%c0, %c0] {in_bounds = [true]} : vector<32xf32>, memref<4x32xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// A sum starts from 0, and whether any bit is set from none.
// CHECK-LABEL: func.func @dot_and_test
// CHECK:       %[[NONE:.*]] = arith.constant dense<false> : vector<8xi1>
// CHECK:       %[[SUMS:.*]]:2 = scf.for %[[I:.*]] = %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[ANY:.*]] = %[[NONE]]) -> (vector<8xf32>, vector<8xi1>)
// CHECK:         %[[PART:.*]] = arith.mulf
// CHECK:         %[[SUM:.*]] = arith.addf %[[ACC]], %[[PART]] : vector<8xf32>
// CHECK:         %[[EACH:.*]] = arith.cmpf
// CHECK:         %[[NEXT:.*]] = arith.ori %[[ANY]], %[[EACH]] : vector<8xi1>
// CHECK:         scf.yield %[[SUM]], %[[NEXT]]
// CHECK:       vector.reduction <add>, %[[SUMS]]#0
// CHECK:       vector.reduction <or>, %[[SUMS]]#1
func.func @dot_and_test(%x: memref<2x32xf32>) -> (f32, i1) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %a = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %b = vector.transfer_read %x[%c1, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %product = arith.mulf %a, %b : vector<32xf32>
  %dot = vector.reduction <add>, %product : vector<32xf32> into f32
  %each = arith.cmpf ult, %a, %b : vector<32xf32>
  %any = vector.reduction <or>, %each : vector<32xi1> into i1
  return %dot, %any : f32, i1
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// A rotated row becomes two of half its length, whose strips go together: of the
// row, of the buffer, and of what is summed up.
// CHECK-LABEL: func.func @rotated
// CHECK-NOT:   vector.shuffle
// CHECK:       %[[SUM:.*]] = scf.for %[[I:.*]] = %c0{{.*}} to %c24{{.*}} step %c8{{.*}} -> (vector<8xf32>)
// CHECK-DAG:     %[[SECOND:.*]] = arith.addi %{{.*}}, %[[I]] : index
// CHECK-DAG:     %[[TOP:.*]] = vector.transfer_read %arg0[%{{.*}}, %[[I]]]{{.*}} vector<8xf32>
// CHECK-DAG:     %[[BOTTOM:.*]] = vector.transfer_read %arg0[%{{.*}}, %[[SECOND]]]{{.*}} vector<8xf32>
// CHECK-DAG:     %[[COS:.*]] = vector.transfer_read %arg1[%{{.*}}, %[[I]]]{{.*}} vector<8xf32>
// CHECK-DAG:     %[[UPPER:.*]] = arith.mulf %[[TOP]], %[[COS]]
// CHECK-DAG:     %[[LOWER:.*]] = arith.mulf %[[BOTTOM]], %[[COS]]
// CHECK-DAG:     vector.transfer_write %[[UPPER]], %arg2[%{{.*}}, %[[I]]]
// CHECK-DAG:     vector.transfer_write %[[LOWER]], %arg2[%{{.*}}, %{{.*}}]
// CHECK-DAG:     arith.addf %[[UPPER]], %[[LOWER]]
// CHECK:       vector.reduction <add>, %[[SUM]] : vector<8xf32> into f32
func.func @rotated(%x: memref<2x48xf32>, %cos: memref<2x24xf32>, %y: memref<2x48xf32>) -> f32 attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %row = vector.transfer_read %x[%c1, %c0], %zero {in_bounds = [true]} : memref<2x48xf32>, vector<48xf32>
  %c = vector.transfer_read %cos[%c1, %c0], %zero {in_bounds = [true]} : memref<2x24xf32>, vector<24xf32>
  %top = vector.shuffle %row, %row [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23] : vector<48xf32>, vector<48xf32>
  %bottom = vector.shuffle %row, %row [24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47] : vector<48xf32>, vector<48xf32>
  %upper = arith.mulf %top, %c : vector<24xf32>
  %lower = arith.mulf %bottom, %c : vector<24xf32>
  %both = vector.shuffle %upper, %lower [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47] : vector<24xf32>, vector<24xf32>
  vector.transfer_write %both, %y[%c0, %c0] {in_bounds = [true]} : vector<48xf32>, memref<2x48xf32>
  %sum = vector.reduction <add>, %both : vector<48xf32> into f32
  return %sum : f32
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// A row with an op that halves are not known for stays whole.
// CHECK-LABEL: func.func @masked
// CHECK:       vector.shuffle {{.*}} vector<48xf32>
func.func @masked(%x: memref<2x48xf32>, %y: memref<2x24xf32>, %mask: vector<48xi1>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %row = vector.transfer_read %x[%c0, %c0], %zero, %mask {in_bounds = [true]} : memref<2x48xf32>, vector<48xf32>
  %top = vector.shuffle %row, %row [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23] : vector<48xf32>, vector<48xf32>
  vector.transfer_write %top, %y[%c0, %c0] {in_bounds = [true]} : vector<24xf32>, memref<2x24xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>

// Two functions that have nothing to do with one another: a loop for each, with
// the sum of its row; what is no function goes with the first. Two that share a
// buffer stay together.
// CHECK-LABEL: func.func @apart
// CHECK:       scf.for {{.*}} -> (vector<16xf32>)
// CHECK-COUNT-1: math.exp %{{.*}} : vector<16xf32>
// CHECK:         vector.transfer_write {{.*}} %arg3
// CHECK:       }
// CHECK:       scf.for
// CHECK-COUNT-1: math.exp %{{.*}} : vector<16xf32>
// CHECK:       }
// CHECK:       return
func.func @apart(%x: memref<2x32xf32>, %y: memref<2x32xf32>, %sum: memref<1xf32>, %z: memref<2x32xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %a = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %b = vector.transfer_read %x[%c1, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %ea = math.exp %a : vector<32xf32>
  %eb = math.exp %b : vector<32xf32>
  %total = vector.reduction <add>, %ea : vector<32xf32> into f32
  vector.transfer_write %eb, %y[%c0, %c0] {in_bounds = [true]} : vector<32xf32>, memref<2x32xf32>
  %copy = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  vector.transfer_write %copy, %z[%c0, %c0] {in_bounds = [true]} : vector<32xf32>, memref<2x32xf32>
  memref.store %total, %sum[%c0] : memref<1xf32>
  return
}
// CHECK-LABEL: func.func @together
// CHECK:       scf.for
// CHECK-COUNT-2: math.exp
// CHECK:       }
// CHECK-NOT:   scf.for
// CHECK:       return
func.func @together(%x: memref<2x32xf32>, %y: memref<2x32xf32>) attributes {qdelta.schedule = #schedule} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %a = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %b = vector.transfer_read %x[%c1, %c0], %zero {in_bounds = [true]} : memref<2x32xf32>, vector<32xf32>
  %ea = math.exp %a : vector<32xf32>
  %eb = math.exp %b : vector<32xf32>
  vector.transfer_write %ea, %y[%c0, %c0] {in_bounds = [true]} : vector<32xf32>, memref<2x32xf32>
  vector.transfer_write %eb, %y[%c1, %c0] {in_bounds = [true]} : vector<32xf32>, memref<2x32xf32>
  return
}
