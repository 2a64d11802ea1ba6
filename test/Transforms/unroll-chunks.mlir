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

// So do columns; a common decay that is not 1 does not make them.
// CHECK-LABEL: func.func @columns
// CHECK-SAME:  %[[W:[a-z0-9]*]]: i1)
// CHECK:       %[[IS:.*]] = arith.cmpf une, %[[D:.*]], %{{.*}} : f32
// CHECK:       %[[ANY:.*]] = arith.ori %[[IS]], %[[W]] : i1
// CHECK:       %[[C:.*]] = arith.select %[[W]], %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK:       scf.if %[[ANY]]
// CHECK:         scf.for
// CHECK:           %[[ROW:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK:           arith.mulf %[[ROW]], %[[C]] : vector<8xf32>
// CHECK:       else
// CHECK:         scf.for
// CHECK-NOT:       arith.mulf
// CHECK:       return
func.func @columns(%S: tensor<4x8xf32>, %d: f32, %c: tensor<1x8xf32>, %w: i1) -> tensor<4x8xf32> attributes {qdelta.schedule = #rows} {
  %0 = qdelta.chunk_update %S decay %d when %w columns %c keys() values() reads() : tensor<4x8xf32>, f32 columns tensor<1x8xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// What the first token's write to state 1 is of state 0 two steps later: its own
// mix's coefficient, and one token on the second one's, decayed, on top of it.
// CHECK-LABEL: func.func @transfer
// CHECK:       %[[C0:.*]] = tensor.extract %arg1
// CHECK:       %[[C1:.*]] = tensor.extract %arg1
// CHECK:       math.exp
// CHECK-NEXT:  %[[E:.*]] = math.exp %{{.*}} : f32
// CHECK:       %[[P:.*]] = arith.mulf %[[C1]], %[[E]] : f32
// CHECK:       %[[T:.*]] = arith.addf %[[C0]], %[[P]] : f32
// CHECK-DAG:   tensor.insert %[[C0]] into
// CHECK-DAG:   tensor.insert %[[T]] into
// CHECK-NOT:   qdelta.
func.func @transfer(%G: tensor<?x?x?xf32>, %C: tensor<?x?x?xf32>, %i: index, %out: tensor<2x2xf32>) -> tensor<2x2xf32>
    attributes {qdelta.schedule = #rows} {
  %g = qdelta.load_tile %G[%i, %i, %i] : tensor<?x?x?xf32> -> tensor<2xf32>
  %c = qdelta.load_tile %C[%i, %i, %i] : tensor<?x?x?xf32> -> tensor<2xf32>
  %t = qdelta.chunk_transfer 1 into 0 through (%g, %c) targets [1, 0] sources [1, 1] from 1 to 2 inclusive
    : (tensor<2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %0 = tensor.insert_slice %t into %out[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// A row of another state is added to the state's.
// CHECK-LABEL: func.func @other_state
// CHECK:       scf.for %[[K:[a-z0-9]+]] = {{.*}} iter_args(%[[S:[a-z0-9]+]] = %arg0)
// CHECK:         %[[ROW:.*]] = vector.transfer_read %[[S]][%[[K]], %{{.*}}]
// CHECK:         %[[OTHER:.*]] = vector.transfer_read %arg1[%[[K]], %{{.*}}]
// CHECK:         %[[BY:.*]] = vector.broadcast %arg2
// CHECK:         vector.fma %[[BY]], %[[OTHER]], %[[ROW]]
func.func @other_state(%S: tensor<4x8xf32>, %M: tensor<4x8xf32>, %c: f32) -> tensor<4x8xf32> attributes {qdelta.schedule = #rows} {
  %one = arith.constant 1.0 : f32
  %0 = qdelta.chunk_update %S decay %one with (%M) by (%c) keys() values() reads()
    : tensor<4x8xf32>, f32 with (tensor<4x8xf32>) by (f32) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Updates that follow one another are one loop over the rows of all their states. A
// row is loaded and stored once, however often it is updated, and what is added or
// read is what it is by then.
// CHECK-LABEL: func.func @two_states
// CHECK:       arith.cmpf une, %arg2, %{{.*}} : f32
// CHECK:       scf.if
// CHECK:         scf.for %[[K:[a-z0-9]+]] = {{.*}} iter_args(%[[M:[a-z0-9]+]] = %arg1, %[[S:[a-z0-9]+]] = %arg0, %[[SUM:[a-z0-9]+]] = %{{[^)]*}})
// CHECK:           %[[MROW:.*]] = vector.transfer_read %[[M]][%[[K]], %{{.*}}]
// CHECK:           %[[MNEXT:.*]] = vector.fma %{{.*}}, %{{.*}}, %[[MROW]]
// CHECK:           %[[SROW:.*]] = vector.transfer_read %[[S]][%[[K]], %{{.*}}]
// CHECK:           %[[DECAYED:.*]] = arith.mulf %{{.*}}, %[[SROW]]
// CHECK:           %[[MIXED:.*]] = vector.fma %{{.*}}, %[[MNEXT]], %[[DECAYED]]
// CHECK:           vector.fma %{{.*}}, %[[MIXED]], %[[SUM]]
// CHECK:           %[[MLAST:.*]] = vector.fma %{{.*}}, %{{.*}}, %[[MNEXT]]
// CHECK-DAG:       vector.transfer_write %[[MLAST]], %[[M]]
// CHECK-DAG:       vector.transfer_write %[[MIXED]], %[[S]]
// CHECK:       else
// CHECK:         scf.for
// CHECK-NOT:       arith.mulf
// CHECK-NOT:     scf.for
// CHECK-NOT:   qdelta.
// CHECK:       return
func.func @two_states(%S: tensor<4x8xf32>, %M: tensor<4x8xf32>, %d: f32, %c: f32, %k: tensor<2x4xf32>, %V: tensor<?x?x?x8xf32>, %i: index)
    -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<?x?x?x8xf32>) attributes {qdelta.schedule = #rows} {
  %one = arith.constant 1.0 : f32
  %zeros = arith.constant dense<0.0> : tensor<2x8xf32>
  %v = qdelta.load_tile %V[%i, %i, %i] columns %i : tensor<?x?x?x8xf32> -> tensor<2x8xf32>
  %k0 = tensor.extract_slice %k[0, 0] [1, 4] [1, 1] : tensor<2x4xf32> to tensor<1x4xf32>
  %k1 = tensor.extract_slice %k[1, 0] [1, 4] [1, 1] : tensor<2x4xf32> to tensor<1x4xf32>
  %v0 = tensor.extract_slice %v[0, 0] [1, 8] [1, 1] : tensor<2x8xf32> to tensor<1x8xf32>
  %v1 = tensor.extract_slice %v[1, 0] [1, 8] [1, 1] : tensor<2x8xf32> to tensor<1x8xf32>
  %M1 = qdelta.chunk_update %M decay %one keys(%k0) values(%v0) reads()
    : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) -> tensor<4x8xf32>
  %S1, %o1 = qdelta.chunk_update %S decay %d with (%M1) by (%c) keys() values() reads(%k1)
    : tensor<4x8xf32>, f32 with (tensor<4x8xf32>) by (f32) reads(tensor<1x4xf32>) -> tensor<4x8xf32>, (tensor<1x8xf32>)
  %M2 = qdelta.chunk_update %M1 decay %one keys(%k1) values(%v1) reads()
    : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) -> tensor<4x8xf32>
  %o = tensor.insert_slice %o1 into %zeros[1, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<2x8xf32>
  %0 = qdelta.store_tile %o into %V[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xf32>
  return %S1, %M2, %0 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<?x?x?x8xf32>
}

// An update by what another one reads waits for all of its rows; one whose result
// somebody else needs is stored.
// CHECK-LABEL: func.func @waits
// CHECK-COUNT-4: scf.for
// CHECK-NOT:   scf.for
// CHECK:       return
func.func @waits(%S: tensor<4x8xf32>, %M: tensor<4x8xf32>, %k: tensor<1x4xf32>, %A: tensor<4x8xf32>)
    -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) attributes {qdelta.schedule = #rows} {
  %one = arith.constant 1.0 : f32
  %S1, %o = qdelta.chunk_update %S decay %one keys() values() reads(%k)
    : tensor<4x8xf32>, f32 reads(tensor<1x4xf32>) -> tensor<4x8xf32>, (tensor<1x8xf32>)
  %M1 = qdelta.chunk_update %M decay %one keys(%k) values(%o) reads()
    : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) -> tensor<4x8xf32>
  %A1 = qdelta.chunk_update %A decay %one keys(%k) values(%o) reads()
    : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) -> tensor<4x8xf32>
  %A2 = qdelta.chunk_update %A1 decay %one keys(%k) values(%o) reads()
    : tensor<4x8xf32>, f32 keys(tensor<1x4xf32>) values(tensor<1x8xf32>) -> tensor<4x8xf32>
  return %S1, %M1, %A1, %A2 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// A block of zeros in a system is no term of it.
// CHECK-LABEL: func.func @zero_block
// CHECK-COUNT-4: vector.fma
// CHECK-NOT:   vector.fma
func.func @zero_block(%a: tensor<2x2xf32>, %r: tensor<2x8xf32>, %V: tensor<?x?x?x8xf32>, %i: index) -> tensor<?x?x?x8xf32>
    attributes {qdelta.schedule = #rows} {
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %x = qdelta.load_tile %V[%i, %i, %i] : tensor<?x?x?x8xf32> -> tensor<2x8xf32>
  %e:2 = qdelta.chunk_solve blocks(%zero, %a, %a, %zero) rhs(%x, %x)
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>), (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>, tensor<2x8xf32>
  %0 = qdelta.store_tile %e#0 into %V[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xf32>
  %1 = qdelta.store_tile %e#1 into %0[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xf32>
  return %1 : tensor<?x?x?x8xf32>
}
