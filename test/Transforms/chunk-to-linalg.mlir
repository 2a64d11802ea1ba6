// RUN: qdelta-opt %s -qdelta-chunk-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @gram
// CHECK:       %[[T:.*]] = linalg.transpose ins(%arg1 : tensor<2x4xf32>)
// CHECK:       linalg.matmul ins(%arg0, %{{.*}} : tensor<3x4xf32>, tensor<4x2xf32>) outs(%{{.*}} : tensor<3x2xf32>)
// CHECK-NOT:   qdelta.
func.func @gram(%x: tensor<3x4xf32>, %a: tensor<2x4xf32>) -> tensor<3x2xf32> {
  %0 = qdelta.chunk_gram %x, %a : tensor<3x4xf32>, tensor<2x4xf32> -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @read_apply
// CHECK:       %[[Z:.*]] = linalg.fill
// CHECK:       %[[Y:.*]] = linalg.matmul ins(%arg0, %arg1 : tensor<2x4xf32>, tensor<4x8xf32>) outs(%[[Z]] : tensor<2x8xf32>)
// Four tokens at a time, here two: the values before them, then their own.
// CHECK:       scf.for %[[T:.*]] = %{{.*}} iter_args(%{{.*}} = %arg3)
// CHECK:         scf.for %[[S:.*]] = %{{.*}} to %[[T]]
// CHECK:           tensor.extract_slice %arg2[%[[T]], %[[S]]] [2, 2]
// CHECK:           tensor.extract_slice %[[Y]][%[[S]], 0] [2, 8]
// CHECK:           linalg.matmul
// CHECK-COUNT-3: tensor.extract %arg2[
// CHECK-NOT:     tensor.extract %arg2[
// CHECK-NOT:   qdelta.
func.func @read_apply(%x: tensor<2x4xf32>, %S: tensor<4x8xf32>, %l: tensor<2x2xf32>, %init: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = qdelta.chunk_read %x, %S : tensor<2x4xf32>, tensor<4x8xf32> -> tensor<2x8xf32>
  %1 = qdelta.chunk_apply %l, %0 onto %init inclusive : tensor<2x2xf32>, tensor<2x8xf32>
  return %1 : tensor<2x8xf32>
}

// One unknown write a token is a solve of its own matrix.
// CHECK-LABEL: func.func @solve_one
// CHECK:       qdelta.triangular_solve %arg0, %arg1 : tensor<3x3xf32>, tensor<3x8xf32>
func.func @solve_one(%l: tensor<3x3xf32>, %r: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %0 = qdelta.chunk_solve blocks(%l) rhs(%r) : (tensor<3x3xf32>), (tensor<3x8xf32>) -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// Two are interleaved: block (j, w) fills rows j, j + 2, ... and columns w, w + 2, ...
// CHECK-LABEL: func.func @solve_two
// CHECK-DAG:   tensor.insert_slice %arg0 into %{{.*}}[0, 0] [3, 3] [2, 2]
// CHECK-DAG:   tensor.insert_slice %arg1 into %{{.*}}[0, 1] [3, 3] [2, 2]
// CHECK-DAG:   tensor.insert_slice %arg2 into %{{.*}}[1, 0] [3, 3] [2, 2]
// CHECK-DAG:   tensor.insert_slice %arg3 into %{{.*}}[1, 1] [3, 3] [2, 2]
// CHECK-DAG:   tensor.insert_slice %arg4 into %{{.*}}[0, 0] [3, 8] [2, 1]
// CHECK-DAG:   tensor.insert_slice %arg5 into %{{.*}}[1, 0] [3, 8] [2, 1]
// CHECK:       %[[E:.*]] = qdelta.triangular_solve %{{.*}} : tensor<6x6xf32>, tensor<6x8xf32>
// CHECK:       tensor.extract_slice %[[E]][0, 0] [3, 8] [2, 1]
// CHECK:       tensor.extract_slice %[[E]][1, 0] [3, 8] [2, 1]
func.func @solve_two(%a: tensor<3x3xf32>, %b: tensor<3x3xf32>, %c: tensor<3x3xf32>, %d: tensor<3x3xf32>,
    %r: tensor<3x8xf32>, %s: tensor<3x8xf32>) -> (tensor<3x8xf32>, tensor<3x8xf32>) {
  %0:2 = "qdelta.chunk_solve"(%a, %b, %c, %d, %r, %s) <{operandSegmentSizes = array<i32: 4, 2>}>
    : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x8xf32>, tensor<3x8xf32>)
    -> (tensor<3x8xf32>, tensor<3x8xf32>)
  return %0#0, %0#1 : tensor<3x8xf32>, tensor<3x8xf32>
}

// The new state is decayed, then written to, then read.
// CHECK-LABEL: func.func @update
// CHECK:       %[[D:.*]] = linalg.generic {{.*}} ins(%arg1 : f32) outs(%arg0 :
// CHECK:         arith.mulf
// CHECK:       %[[S:.*]] = linalg.{{.*}} ins(%arg2, %arg3 : tensor<2x4xf32>, tensor<2x8xf32>) outs(%[[D]] : tensor<4x8xf32>)
// CHECK:       linalg.matmul ins(%arg4, %[[S]] : tensor<2x4xf32>, tensor<4x8xf32>)
// CHECK-NOT:   qdelta.
func.func @update(%S: tensor<4x8xf32>, %d: f32, %a: tensor<2x4xf32>, %e: tensor<2x8xf32>, %x: tensor<2x4xf32>)
    -> (tensor<4x8xf32>, tensor<2x8xf32>) {
  %S1, %y = qdelta.chunk_update %S decay %d keys(%a) values(%e) reads(%x)
    : tensor<4x8xf32>, f32 keys(tensor<2x4xf32>) values(tensor<2x8xf32>) reads(tensor<2x4xf32>) -> tensor<4x8xf32>, (tensor<2x8xf32>)
  return %S1, %y : tensor<4x8xf32>, tensor<2x8xf32>
}

// Decays are products of e^log, token by token; nothing is subtracted.
// CHECK-LABEL: func.func @decay
// CHECK-NOT:   arith.subf
// CHECK:       math.exp
// CHECK:       arith.mulf
// CHECK:           tensor.insert
// CHECK-NOT:   arith.subf
// CHECK:       return
func.func @decay(%g: tensor<3xf32>) -> tensor<3x3xf32> {
  %0 = qdelta.chunk_decay(%g) from 1 to 1 inclusive : (tensor<3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// Loads repeat the last token, stores drop what is past it.
// CHECK-LABEL: func.func @tiles
// CHECK:       scf.for
// CHECK:         arith.minui
// CHECK:         tensor.extract_slice %arg0[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] [1, 1, 1, 8]
// CHECK:       %[[LEFT:.*]] = arith.subi
// CHECK:       %[[ROWS:.*]] = arith.minui %[[LEFT]]
// CHECK:       scf.for %{{.*}} = %{{.*}} to %[[ROWS]]
// CHECK:         tensor.insert_slice %{{.*}} [1, 1, 1, 8]
// CHECK-NOT:   qdelta.
func.func @tiles(%V: tensor<?x?x?x8xf32>, %i: index) -> tensor<?x?x?x8xf32> {
  %x = qdelta.load_tile %V[%i, %i, %i] columns %i : tensor<?x?x?x8xf32> -> tensor<3x8xf32>
  %0 = qdelta.store_tile %x into %V[%i, %i, %i] columns %i : tensor<3x8xf32>, tensor<?x?x?x8xf32>
  return %0 : tensor<?x?x?x8xf32>
}

// Decays per key channel run on in f64, row by row.
// CHECK-LABEL: func.func @channel_decay
// CHECK:       %[[F:.*]] = math.exp %arg0 : tensor<4x6xf32>
// CHECK:       scf.for {{.*}} -> (tensor<1x6xf64>, tensor<4x6xf32>)
// CHECK:         tensor.extract_slice %[[F]]
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<1x6xf64>)
// CHECK:           arith.extf
// CHECK:         arith.truncf {{.*}} : tensor<1x6xf64> to tensor<1x6xf32>
// CHECK:         tensor.insert_slice
// CHECK-NOT:   qdelta.
func.func @channel_decay(%g: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %0 = qdelta.chunk_decay(%g) to 1 : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// Writes come last first: the tile of later reads, [K x C], decays by a token,
// and a write's key vector times it is a row of the transposed matrix.
// CHECK-LABEL: func.func @decayed_gram
// CHECK:       math.exp %arg2
// CHECK:       scf.for {{.*}} -> (tensor<6x4xf32>, tensor<4x4xf32>)
// CHECK:         linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<1x6xf32>, tensor<6x4xf32>)
// CHECK:       linalg.transpose
// CHECK-NOT:   qdelta.
func.func @decayed_gram(%x: tensor<4x6xf32>, %a: tensor<4x6xf32>, %g: tensor<4x6xf32>) -> tensor<4x4xf32> {
  %0 = qdelta.chunk_gram %x, %a decays(%g) from 0 to 1 inclusive : tensor<4x6xf32>, tensor<4x6xf32> decays(tensor<4x6xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @rows_and_channels
// CHECK:       linalg.generic {{.*}} ins(%arg1, %arg0 : tensor<4xi1>, tensor<4x6xf32>)
// CHECK:         arith.select
// CHECK:       linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x6xf32>, tensor<6xf32>)
// CHECK:         arith.mulf
// CHECK-NOT:   qdelta.
func.func @rows_and_channels(%x: tensor<4x6xf32>, %valid: tensor<4xi1>, %by: tensor<1x6xf32>) -> tensor<4x6xf32> {
  %0 = qdelta.mask_rows %x by %valid : tensor<4x6xf32>, tensor<4xi1>
  %1 = qdelta.scale_channels %0 by %by : tensor<4x6xf32>, tensor<1x6xf32>
  return %1 : tensor<4x6xf32>
}

// CHECK-LABEL: func.func @renew
// CHECK:       arith.minimumf
// CHECK:       arith.cmpf ult
// CHECK:       arith.maximumf
// CHECK:       arith.cmpf ugt
// CHECK:       %[[W:.*]] = arith.ori
// CHECK:       linalg.generic {{.*}} ins(%{{.*}}, %[[W]] : tensor<6xf32>, i1)
// CHECK:         arith.select
// CHECK-NOT:   qdelta.
func.func @renew(%S: tensor<6x8xf32>, %d: f32, %c: tensor<1x6xf32>) -> tensor<6x8xf32> {
  %w = qdelta.any_outside %c low 0.5 high 2.0 : tensor<1x6xf32>
  %0 = qdelta.chunk_update %S decay %d channels %c when %w keys() values() reads() : tensor<6x8xf32>, f32 channels tensor<1x6xf32> -> tensor<6x8xf32>
  return %0 : tensor<6x8xf32>
}

// CHECK-LABEL: func.func @renew_columns
// CHECK-SAME:  %[[W:[a-z0-9]*]]: i1)
// CHECK:       linalg.generic {{.*}} ins(%{{.*}}, %[[W]] : tensor<8xf32>, i1)
// CHECK:         arith.select
// CHECK-NOT:   qdelta.
func.func @renew_columns(%S: tensor<6x8xf32>, %d: f32, %c: tensor<1x8xf32>, %w: i1) -> tensor<6x8xf32> {
  %0 = qdelta.chunk_update %S decay %d when %w columns %c keys() values() reads() : tensor<6x8xf32>, f32 columns tensor<1x8xf32> -> tensor<6x8xf32>
  return %0 : tensor<6x8xf32>
}

// Transfers between coupled states: each column runs down from its own token, with
// a number for each state; towards the end of the chunk, tokens come last first.
// CHECK-LABEL: func.func @transfer
// CHECK:       %[[F:.*]] = math.exp %arg0 : tensor<3xf32>
// CHECK:       scf.for %[[S:[a-z0-9]+]] =
// CHECK:         tensor.insert %{{.*}} into %{{.*}}[%[[S]], %[[S]]]
// CHECK:         scf.for %[[T:[a-z0-9]+]] = {{.*}} iter_args(%{{.*}}) -> (tensor<3x3xf32>, f64, f64)
// CHECK:           tensor.extract %[[F]][%[[T]]]
// CHECK:           arith.mulf
// CHECK:           tensor.extract %arg1[%[[T]]]
// CHECK:           arith.addf %{{.*}} : f64
// CHECK:           tensor.insert %{{.*}} into %{{.*}}[%[[T]], %[[S]]]
// CHECK:       scf.for %[[I:[a-z0-9]+]] =
// CHECK:         %[[LAST:.*]] = arith.subi %{{.*}}, %[[I]]
// CHECK:         tensor.insert %{{.*}} into %{{.*}}[%[[LAST]]]
// CHECK-NOT:   qdelta.
func.func @transfer(%g: tensor<3xf32>, %c: tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>) {
  %0 = qdelta.chunk_transfer 1 into 0 through (%g, %c) targets [1, 0] sources [1, 1] from 1 to 2 inclusive
    : (tensor<3xf32>, tensor<3xf32>) -> tensor<3x3xf32>
  %1 = qdelta.chunk_transfer 1 into 0 through (%g, %c) targets [1, 0] sources [1, 1] from 1
    : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0, %1 : tensor<3x3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @other_state
// CHECK:       %[[D:.*]] = linalg.generic {{.*}} ins(%arg2 : f32) outs(%arg0 : tensor<4x8xf32>)
// CHECK:       linalg.generic {{.*}} ins(%arg3, %arg1 : f32, tensor<4x8xf32>) outs(%[[D]] : tensor<4x8xf32>)
// CHECK-NOT:   qdelta.
func.func @other_state(%S: tensor<4x8xf32>, %M: tensor<4x8xf32>, %d: f32, %c: f32) -> tensor<4x8xf32> {
  %0 = qdelta.chunk_update %S decay %d with (%M) by (%c) keys() values() reads()
    : tensor<4x8xf32>, f32 with (tensor<4x8xf32>) by (f32) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
