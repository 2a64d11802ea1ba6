// RUN: qdelta-opt %s -qdelta-unroll-chunks | FileCheck %s

// Tiles of functions whose schedule says `unroll` become the rows of their
// tokens: two vectors for a tile of two tokens.

#rows = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = true, defer = false, prefetch = true>
#matrices = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = false, fuse = false, defer = false, prefetch = false>

// CHECK-LABEL: func.func @load
// Tokens past the last repeat it.
// CHECK:       %[[T:.*]] = tensor.dim
// CHECK:       %[[LAST:.*]] = arith.subi %[[T]]
// CHECK:       %[[T0:.*]] = arith.minui %{{.*}}, %[[LAST]]
// CHECK:       %[[R0:.*]] = vector.transfer_read %{{.*}}[%{{.*}}, %[[T0]], %{{.*}}, %{{.*}}]
// CHECK:       %[[T1:.*]] = arith.minui %{{.*}}, %[[LAST]]
// CHECK:       %[[R1:.*]] = vector.transfer_read %{{.*}}[%{{.*}}, %[[T1]], %{{.*}}, %{{.*}}]
// The products of two tokens with two: four reductions.
// CHECK-COUNT-4: vector.reduction <add>
// CHECK-NOT:   qdelta.
func.func @load(%K: tensor<?x?x?x8xf32>, %i: index, %out: tensor<2x2xf32>) -> tensor<2x2xf32>
    attributes {qdelta.schedule = #rows} {
  %x = qdelta.load_tile %K[%i, %i, %i] : tensor<?x?x?x8xf32> -> tensor<2x8xf32>
  %g = qdelta.chunk_gram %x, %x : tensor<2x8xf32>, tensor<2x8xf32> -> tensor<2x2xf32>
  %0 = tensor.insert_slice %g into %out[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// Rows past the last token are not stored.
// CHECK-LABEL: func.func @store
// CHECK:       arith.cmpi ult
// CHECK:       scf.if
// CHECK:         vector.transfer_write
// CHECK:       arith.cmpi ult
// CHECK:       scf.if
// CHECK:         vector.transfer_write
// CHECK-NOT:   qdelta.
func.func @store(%V: tensor<?x?x?x8xf32>, %i: index) -> tensor<?x?x?x8xf32> attributes {qdelta.schedule = #rows} {
  %x = qdelta.load_tile %V[%i, %i, %i] columns %i : tensor<?x?x?x8xf32> -> tensor<2x8xf32>
  %0 = qdelta.store_tile %x into %V[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xf32>
  return %0 : tensor<?x?x?x8xf32>
}

// The system is solved row by row, in registers: the second token's row gains
// one product, the first token's none.
// CHECK-LABEL: func.func @solve
// CHECK:       %[[R0:.*]] = vector.transfer_read
// CHECK:       %[[R1:.*]] = vector.transfer_read
// CHECK:       vector.fma %{{.*}}, %[[R0]], %[[R1]]
// CHECK-NOT:   vector.fma
// CHECK:       return
func.func @solve(%V: tensor<?x?x?x8xf32>, %l: tensor<2x2xf32>, %i: index) -> tensor<?x?x?x8xf32>
    attributes {qdelta.schedule = #rows} {
  %r = qdelta.load_tile %V[%i, %i, %i] columns %i : tensor<?x?x?x8xf32> -> tensor<2x8xf32>
  %e = qdelta.chunk_solve blocks(%l) rhs(%r) : (tensor<2x2xf32>), (tensor<2x8xf32>) -> tensor<2x8xf32>
  %0 = qdelta.store_tile %e into %V[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xf32>
  return %0 : tensor<?x?x?x8xf32>
}

// Update and next reads are one loop over the rows of the state, for a state
// that decays in this chunk and for one that does not.
// CHECK-LABEL: func.func @update
// CHECK:       arith.cmpf une
// CHECK:       scf.if
// CHECK:         scf.for
// CHECK:           %[[S:.*]] = vector.transfer_read
// CHECK:           arith.mulf %{{.*}}, %[[S]]
// CHECK-COUNT-2:   vector.fma
// CHECK:           vector.transfer_write
// CHECK-COUNT-2:   vector.fma
// CHECK:       else
// CHECK:         scf.for
// CHECK-COUNT-2:   vector.fma
// CHECK:           vector.transfer_write
// CHECK-COUNT-2:   vector.fma
// CHECK-NOT:   scf.for
func.func @update(%S: tensor<4x8xf32>, %d: f32, %V: tensor<?x?x?x8xf32>, %a: tensor<2x4xf32>, %i: index)
    -> (tensor<4x8xf32>, tensor<?x?x?x8xf32>) attributes {qdelta.schedule = #rows} {
  %e = qdelta.load_tile %V[%i, %i, %i] columns %i : tensor<?x?x?x8xf32> -> tensor<2x8xf32>
  %S1, %y = qdelta.chunk_update %S decay %d keys(%a) values(%e) reads(%a)
    : tensor<4x8xf32>, f32 keys(tensor<2x4xf32>) values(tensor<2x8xf32>) reads(tensor<2x4xf32>) -> tensor<4x8xf32>, (tensor<2x8xf32>)
  %0 = qdelta.store_tile %y into %V[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xf32>
  return %S1, %0 : tensor<4x8xf32>, tensor<?x?x?x8xf32>
}

// Hints stay for the buffers; matrices are another pass's.
// CHECK-LABEL: func.func @hint
// CHECK:       qdelta.prefetch
func.func @hint(%K: tensor<?x?x?x8xf32>, %i: index) attributes {qdelta.schedule = #rows} {
  qdelta.prefetch %K[%i, %i, %i] columns %i by 8 rows 2 : tensor<?x?x?x8xf32>
  return
}
// CHECK-LABEL: func.func @untouched
// CHECK:       qdelta.chunk_gram
func.func @untouched(%x: tensor<2x4xf32>) -> tensor<2x2xf32> attributes {qdelta.schedule = #matrices} {
  %g = qdelta.chunk_gram %x, %x : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x2xf32>
  return %g : tensor<2x2xf32>
}

// Decays per key channel are rows: the second token's read of the first one's
// write decays by the second token, between which nothing else stands.
// CHECK-LABEL: func.func @decayed_gram
// CHECK:       math.exp %{{.*}} : vector<8xf32>
// CHECK-NEXT:  %[[E1:.*]] = math.exp %{{.*}} : vector<8xf32>
// CHECK-NEXT:  %[[A:.*]] = arith.mulf %{{.*}}, %[[E1]] : vector<8xf32>
// CHECK-NEXT:  arith.mulf %{{.*}}, %[[A]] : vector<8xf32>
// CHECK-NEXT:  vector.reduction <add>
// CHECK-NOT:   vector.reduction
// CHECK:       return
func.func @decayed_gram(%K: tensor<?x?x?x8xf32>, %i: index, %out: tensor<2x2xf32>) -> tensor<2x2xf32>
    attributes {qdelta.schedule = #rows} {
  %x = qdelta.load_tile %K[%i, %i, %i] : tensor<?x?x?x8xf32> -> tensor<2x8xf32>
  %g = qdelta.chunk_gram %x, %x decays(%x) from 1 to 1 : tensor<2x8xf32>, tensor<2x8xf32> decays(tensor<2x8xf32>) -> tensor<2x2xf32>
  %0 = tensor.insert_slice %g into %out[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// Rows of the state decay by their own factors, or not at all.
// CHECK-LABEL: func.func @channels
// CHECK:       vector.reduction <minimumf>
// CHECK:       vector.reduction <maximumf>
// CHECK:       %[[W:.*]] = arith.ori
// CHECK:       scf.if %[[W]]
// CHECK:         scf.for %[[R:[a-z0-9]+]] =
// CHECK:           tensor.extract %arg1[%{{.*}}, %[[R]]]
// CHECK:           arith.mulf
// CHECK:           vector.transfer_write
// CHECK:       else
// CHECK:         scf.for
// CHECK-NOT:       arith.mulf
// CHECK:       return
func.func @channels(%S: tensor<4x8xf32>, %c: tensor<1x4xf32>) -> tensor<4x8xf32> attributes {qdelta.schedule = #rows} {
  %one = arith.constant 1.0 : f32
  %w = qdelta.any_outside %c low 0.5 high 2.0 : tensor<1x4xf32>
  %0 = qdelta.chunk_update %S decay %one channels %c when %w keys() values() reads() : tensor<4x8xf32>, f32 channels tensor<1x4xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
