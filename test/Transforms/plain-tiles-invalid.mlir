// RUN: qdelta-opt %s -split-input-file -verify-diagnostics -qdelta-chunk-to-linalg
// RUN: qdelta-opt %s -split-input-file -verify-diagnostics -qdelta-unroll-chunks

// Tiles that the lowerings of engines cpu and scalar refuse.

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = false, defer = false, prefetch = false>

func.func @wide(%K: tensor<?x?x?x6xf32>, %i: index) attributes {qdelta.schedule = #schedule} {
  // expected-error @below {{tiles that end past their sequence are not supported by engines cpu and scalar yet}}
  %0 = qdelta.load_tile %K[%i, %i, %i] : tensor<?x?x?x6xf32> -> tensor<2x8xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = false, defer = false, prefetch = false>

func.func @past(%O: tensor<?x?x?x12xf32>, %x: tensor<2x8xf32>, %i: index) attributes {qdelta.schedule = #schedule} {
  %c8 = arith.constant 8 : index
  // expected-error @below {{tiles that end past their sequence are not supported by engines cpu and scalar yet}}
  %0 = qdelta.store_tile %x into %O[%i, %i, %i] columns %c8 : tensor<2x8xf32>, tensor<?x?x?x12xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = false, defer = false, prefetch = false>

func.func @state(%S: tensor<?x?x4x8xf32>, %i: index) attributes {qdelta.schedule = #schedule} {
  // expected-error @below {{tiles of a state are not supported by engines cpu and scalar yet}}
  %0 = qdelta.load_tile %S[%i, %i] : tensor<?x?x4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

#schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 8, span = 1, lanes = 8, unroll = true, fuse = false, defer = false, prefetch = false>

func.func @inverse(%l: tensor<2x2xf32>) attributes {qdelta.schedule = #schedule} {
  // expected-error @below {{qdelta.chunk_inverse is not supported by engines cpu and scalar yet}}
  %0 = qdelta.chunk_inverse blocks(%l) : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}
