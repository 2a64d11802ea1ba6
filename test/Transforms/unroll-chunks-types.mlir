// RUN: qdelta-opt %s -qdelta-unroll-chunks | FileCheck %s

// Rows of narrow sequences are converted where they are loaded and stored; all
// else is in f32.

#rows = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = false, prefetch = true>

// CHECK-LABEL: func.func @narrow
// CHECK-COUNT-2: arith.extf %{{.*}} : vector<8xbf16> to vector<8xf32>
// CHECK-COUNT-2: arith.mulf %{{.*}} : vector<8xf32>
// CHECK:       %[[X0:.*]] = arith.truncf %{{.*}} : vector<8xf32> to vector<8xbf16>
// CHECK:       vector.transfer_write %[[X0]]
// CHECK:       %[[X1:.*]] = arith.truncf %{{.*}} : vector<8xf32> to vector<8xbf16>
// CHECK:       vector.transfer_write %[[X1]]
// CHECK-NOT:   arith.{{ext|trunc}}f
// CHECK:       return
func.func @narrow(%V: tensor<?x?x?x8xbf16>, %B: tensor<?x?x?xf32>, %i: index) -> tensor<?x?x?x8xbf16>
    attributes {qdelta.schedule = #rows} {
  %x = qdelta.load_tile %V[%i, %i, %i] columns %i : tensor<?x?x?x8xbf16> -> tensor<2x8xf32>
  %b = qdelta.load_tile %B[%i, %i, %i] : tensor<?x?x?xf32> -> tensor<2xf32>
  %y = qdelta.scale %x by %b : tensor<2x8xf32>, tensor<2xf32>
  %0 = qdelta.store_tile %y into %V[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xbf16>
  return %0 : tensor<?x?x?x8xbf16>
}

// A list in f64 is in f64 throughout: no conversion, also of the decay that runs
// on from chunk to chunk.
// CHECK-LABEL: func.func @wide
// CHECK:       math.exp %{{.*}} : f64
// CHECK-NOT:   f32
// CHECK-NOT:   arith.{{ext|trunc}}f
// CHECK:       vector.fma %{{.*}} : vector<4xf64>
// CHECK-NOT:   f32
// CHECK:       return
func.func @wide(%V: tensor<?x?x?x4xf64>, %G: tensor<?x?x?xf64>, %S: tensor<4x4xf64>, %i: index)
    -> (tensor<4x4xf64>, f64) attributes {qdelta.schedule = #rows} {
  %x = qdelta.load_tile %V[%i, %i, %i] : tensor<?x?x?x4xf64> -> tensor<2x4xf64>
  %g = qdelta.load_tile %G[%i, %i, %i] : tensor<?x?x?xf64> -> tensor<2xf64>
  %d = qdelta.chunk_decay(%g) : (tensor<2xf64>) -> f64
  %0, %y = qdelta.chunk_update %S decay %d keys(%x) values(%x) reads(%x)
    : tensor<4x4xf64>, f64 keys(tensor<2x4xf64>) values(tensor<2x4xf64>) reads(tensor<2x4xf64>)
    -> tensor<4x4xf64>, (tensor<2x4xf64>)
  return %0, %d : tensor<4x4xf64>, f64
}
