// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

func.func @load_tile(%K: tensor<?x?x?xf32>, %i: index) {
  // expected-error @below {{expected a tile [C] or [C, D] of a sequence whose rank fits the tile, and 1, 2 or 3 indices, but got 'tensor<?x?x?xf32>' with 3 indices /*load_tile_c1*/}}
  %0 = qdelta.load_tile %K[%i, %i, %i] : tensor<?x?x?xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @load_tile(%P: tensor<?x4xf32>, %i: index) {
  // expected-error @below {{of a parameter whose rank fits the tile, and 1, 2 or 3 indices, but got 'tensor<?x4xf32>' with 1 indices /*load_tile_c1*/}}
  %0 = qdelta.load_tile %P[%i] : tensor<?x4xf32> -> tensor<2xf32>
  return
}

// -----

func.func @load_tile(%P: tensor<?x4xf32>, %i: index) {
  // expected-error @below {{of a state whose rank fits the tile, and 1, 2 or 3 indices, but got 'tensor<?x4xf32>' with 2 indices /*load_tile_c1*/}}
  %0 = qdelta.load_tile %P[%i, %i] : tensor<?x4xf32> -> tensor<2xf32>
  return
}

// -----

func.func @load_tile(%S: tensor<?x?x4x8xf32>, %i: index) {
  // expected-error @below {{of a state whose rank fits the tile, and 1, 2 or 3 indices, but got 'tensor<?x?x4x8xf32>' with 2 indices /*load_tile_c1*/}}
  %0 = qdelta.load_tile %S[%i, %i] : tensor<?x?x4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @load_tile(%K: tensor<?x?x?xf32>, %i: index) {
  // expected-error @below {{expected no columns for a tile of scalars /*load_tile_c1*/}}
  %0 = qdelta.load_tile %K[%i, %i, %i] columns %i : tensor<?x?x?xf32> -> tensor<4xf32>
  return
}

// -----

func.func @load_tile(%K: tensor<?x?x?x8xf64>, %i: index) {
  // expected-error @below {{expected a tile in the source's element type, or in f32 of bf16 or f16, but got 'tensor<2x8xf32>' of 'tensor<?x?x?x8xf64>' /*load_tile_c2*/}}
  %0 = qdelta.load_tile %K[%i, %i, %i] : tensor<?x?x?x8xf64> -> tensor<2x8xf32>
  return
}

// -----

func.func @store_tile(%K: tensor<?x?x?xf32>, %x: tensor<2x8xf32>, %i: index) {
  // expected-error @below {{but got 'tensor<2x8xf32>', 'tensor<?x?x?xf32>' and 3 indices /*store_tile_c1*/}}
  %0 = qdelta.store_tile %x into %K[%i, %i, %i] columns %i : tensor<2x8xf32>, tensor<?x?x?xf32>
  return
}

// -----

func.func @store_tile(%K: tensor<?x?x?x8xf32>, %x: tensor<2x8xf32>, %i: index) {
  // expected-error @below {{and 1 indices /*store_tile_c1*/}}
  %0 = qdelta.store_tile %x into %K[%i] columns %i : tensor<2x8xf32>, tensor<?x?x?x8xf32>
  return
}

// -----

func.func @store_tile(%K: tensor<?x?x?x8xbf16>, %x: tensor<2x8xf64>, %i: index) {
  // expected-error @below {{or in f32 for bf16 or f16, but got 'tensor<2x8xf64>' into 'tensor<?x?x?x8xbf16>' /*store_tile_c2*/}}
  %0 = qdelta.store_tile %x into %K[%i, %i, %i] columns %i : tensor<2x8xf64>, tensor<?x?x?x8xbf16>
  return
}

// -----

func.func @store_tile(%K: tensor<?x?x?x8xf32>, %x: tensor<2x8xf32>, %i: index) {
  // expected-error @below {{failed to verify that all of {dest, result} have same type}}
  %0 = "qdelta.store_tile"(%x, %K, %i, %i, %i, %i) : (tensor<2x8xf32>, tensor<?x?x?x8xf32>, index, index, index, index) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @chunk_decay(%g: tensor<2xf32>) {
  // expected-error @below {{names place 2 of a list with 1 decays}}
  %0 = qdelta.chunk_decay(%g) from 2 : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @chunk_decay(%g: tensor<2xf32>) {
  // expected-error @below {{names place 3 of a list with 2 decays}}
  %0 = qdelta.chunk_decay(%g, %g) to 3 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @chunk_decay(%g: tensor<2xf32>) {
  // expected-error @below {{expected a result of rank 2, but got 'tensor<2xf32>'}}
  %0 = qdelta.chunk_decay(%g) from 0 to 1 : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @chunk_decay(%g: tensor<2xf32>) {
  // expected-error @below {{expected a result of rank 0, but got 'tensor<2xf32>'}}
  %0 = qdelta.chunk_decay(%g) : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @chunk_apply(%m: tensor<2x2xf32>, %e: tensor<2x8xf32>, %r: tensor<2x4xf32>) {
  // expected-error @below {{failed to verify that all of {values, init, result} have same type}}
  %0 = "qdelta.chunk_apply"(%m, %e, %r) : (tensor<2x2xf32>, tensor<2x8xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return
}

// -----

// chunk_solve_c1
func.func @chunk_solve(%l: tensor<2x2xf32>, %r: tensor<2x8xf32>) {
  // expected-error @below {{expected 4 blocks for 2 right-hand sides, but got 3 /*chunk_solve_c1*/}}
  %0:2 = "qdelta.chunk_solve"(%l, %l, %l, %r, %r) <{operandSegmentSizes = array<i32: 3, 2>}>
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>)
  return
}

// -----

// chunk_solve_c1
func.func @chunk_solve() {
  // expected-error @below {{expected 0 blocks for 0 right-hand sides, but got 0 /*chunk_solve_c1*/}}
  "qdelta.chunk_solve"() <{operandSegmentSizes = array<i32: 0, 0>}> : () -> ()
  return
}

// -----

func.func @chunk_update(%S: tensor<4x8xf32>, %d: f32, %a: tensor<2x4xf32>, %e: tensor<2x8xf32>) {
  // expected-error @below {{has 2 keys for 1 values}}
  %0:2 = qdelta.chunk_update %S decay %d keys(%a, %a) values(%e) reads(%a)
    : tensor<4x8xf32>, f32 keys(tensor<2x4xf32>, tensor<2x4xf32>) values(tensor<2x8xf32>) reads(tensor<2x4xf32>) -> tensor<4x8xf32>, (tensor<2x8xf32>)
  return
}

// -----

func.func @chunk_update(%S: tensor<4x8xf32>, %d: f32, %a: tensor<2x4xf32>, %e: tensor<2x8xf32>) {
  // expected-error @below {{has 1 reads for 2 readouts}}
  %0:3 = qdelta.chunk_update %S decay %d keys(%a) values(%e) reads(%a)
    : tensor<4x8xf32>, f32 keys(tensor<2x4xf32>) values(tensor<2x8xf32>) reads(tensor<2x4xf32>) -> tensor<4x8xf32>, (tensor<2x8xf32>, tensor<2x8xf32>)
  return
}

// -----

func.func @chunk_update(%S: tensor<4x8xf32>, %d: f32, %a: tensor<2x5xf32>, %e: tensor<2x8xf32>) {
  // expected-error @below {{expected keys [C, K] and values [C, W] to fit the state [K, W], but got 'tensor<2x5xf32>', 'tensor<2x8xf32>' and 'tensor<4x8xf32>'}}
  %0:2 = qdelta.chunk_update %S decay %d keys(%a) values(%e) reads(%a)
    : tensor<4x8xf32>, f32 keys(tensor<2x5xf32>) values(tensor<2x8xf32>) reads(tensor<2x5xf32>) -> tensor<4x8xf32>, (tensor<2x8xf32>)
  return
}

// -----

func.func @triangular_solve(%l: tensor<2x3xf32>, %r: tensor<2x8xf32>) {
  // expected-error @below {{expected a square matrix [N, N] and a right-hand side [N, W], but got 'tensor<2x3xf32>' and 'tensor<2x8xf32>'}}
  %0 = qdelta.triangular_solve %l, %r : tensor<2x3xf32>, tensor<2x8xf32>
  return
}

// -----

func.func @triangular_solve(%l: tensor<3x3xf32>, %r: tensor<2x8xf32>) {
  // expected-error @below {{but got 'tensor<3x3xf32>' and 'tensor<2x8xf32>'}}
  %0 = qdelta.triangular_solve %l, %r : tensor<3x3xf32>, tensor<2x8xf32>
  return
}

// -----

// Shapes of the products: inner dimensions agree, and so do the results'.
func.func @chunk_gram(%x: tensor<2x4xf32>, %a: tensor<2x5xf32>) {
  // expected-error @below {{'qdelta.chunk_gram' op}}
  %0 = qdelta.chunk_gram %x, %a : tensor<2x4xf32>, tensor<2x5xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @chunk_read(%x: tensor<2x4xf32>, %S: tensor<5x8xf32>) {
  // expected-error @below {{'qdelta.chunk_read' op}}
  %0 = qdelta.chunk_read %x, %S : tensor<2x4xf32>, tensor<5x8xf32> -> tensor<2x8xf32>
  return
}

// -----

// chunk_inverse_c1
func.func @chunk_inverse(%l: tensor<2x2xf32>) {
  // expected-error @below {{expected W * W blocks for W unknown writes and as many results, but got 3 and 3 /*chunk_inverse_c1*/}}
  %0:3 = qdelta.chunk_inverse blocks(%l, %l, %l) : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
  return
}

// -----

func.func @chunk_inverse() {
  // expected-error @below {{but got 0 and 0 /*chunk_inverse_c1*/}}
  "qdelta.chunk_inverse"() : () -> ()
  return
}

// -----

func.func @chunk_inverse(%l: tensor<2x2xf32>) {
  // expected-error @below {{but got 1 and 2 /*chunk_inverse_c1*/}}
  %0:2 = qdelta.chunk_inverse blocks(%l) : (tensor<2x2xf32>) -> tensor<2x2xf32>, tensor<2x2xf32>
  return
}

// -----

// chunk_inverse_c2
func.func @chunk_inverse(%l: tensor<2x3xf32>) {
  // expected-error @below {{expected blocks and results [C, C] of one type, but got 'tensor<2x3xf32>' and 'tensor<2x3xf32>' /*chunk_inverse_c2*/}}
  %0 = qdelta.chunk_inverse blocks(%l) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @chunk_inverse(%l: tensor<2x2xf32>) {
  // expected-error @below {{but got 'tensor<2x2xf32>' and 'tensor<2x2xf64>' /*chunk_inverse_c2*/}}
  %0 = qdelta.chunk_inverse blocks(%l) : (tensor<2x2xf32>) -> tensor<2x2xf64>
  return
}

// -----

// chunk_gram_c1
func.func @chunk_gram(%x: tensor<2x4xf32>, %g: tensor<3x4xf32>) {
  // expected-error @below {{expected logs, reads and writes [C, K] and two places, or neither logs nor places, but got 'tensor<3x4xf32>' with 'tensor<2x4xf32>' and 'tensor<2x4xf32>' /*chunk_gram_c1*/}}
  %0 = qdelta.chunk_gram %x, %x decays(%g) from 0 to 1 : tensor<2x4xf32>, tensor<2x4xf32> decays(tensor<3x4xf32>) -> tensor<2x2xf32>
  return
}

// -----

// chunk_gram_c1
func.func @chunk_gram(%x: tensor<2x4xf32>, %a: tensor<3x4xf32>, %g: tensor<2x4xf32>) {
  // expected-error @below {{/*chunk_gram_c1*/}}
  %0 = qdelta.chunk_gram %x, %a decays(%g) from 0 to 1 : tensor<2x4xf32>, tensor<3x4xf32> decays(tensor<2x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

// chunk_gram_c1
func.func @chunk_gram(%x: tensor<2x4xf32>) {
  // expected-error @below {{/*chunk_gram_c1*/}}
  %0 = qdelta.chunk_gram %x, %x inclusive : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @chunk_gram(%x: tensor<2x4xf32>) {
  // expected-error @below {{names place 2 of a list with 1 decays}}
  %0 = qdelta.chunk_gram %x, %x decays(%x) from 0 to 2 : tensor<2x4xf32>, tensor<2x4xf32> decays(tensor<2x4xf32>) -> tensor<2x2xf32>
  return
}

// -----

// chunk_decay_c1
func.func @chunk_decay(%g: tensor<2x4xf32>) {
  // expected-error @below {{expected logs [C, K], one place at most and a result [C, K], or [1, K] without a place, but got 'tensor<2x4xf32>' and 'tensor<2x2xf32>' /*chunk_decay_c1*/}}
  %0 = qdelta.chunk_decay(%g) from 0 to 1 : (tensor<2x4xf32>) -> tensor<2x2xf32>
  return
}

// -----

// chunk_decay_c1
func.func @chunk_decay(%g: tensor<2x4xf32>) {
  // expected-error @below {{/*chunk_decay_c1*/}}
  %0 = qdelta.chunk_decay(%g) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// chunk_decay_c1
func.func @chunk_decay(%g: tensor<2x4xf32>, %h: tensor<2xf32>) {
  // expected-error @below {{/*chunk_decay_c1*/}}
  %0 = qdelta.chunk_decay(%g, %h) to 1 : (tensor<2x4xf32>, tensor<2xf32>) -> tensor<2x4xf32>
  return
}

// -----

// chunk_update_c1
func.func @chunk_update(%S: tensor<4x8xf32>, %d: f32, %c: tensor<1x5xf32>) {
  // expected-error @below {{expected factors [1, K] for the channels of a state [K, W], but got 'tensor<1x5xf32>' and 'tensor<4x8xf32>' /*chunk_update_c1*/}}
  %0 = qdelta.chunk_update %S decay %d channels %c keys() values() reads() : tensor<4x8xf32>, f32 channels tensor<1x5xf32> -> tensor<4x8xf32>
  return
}

// -----

// chunk_update_c1
func.func @chunk_update(%S: tensor<4x8xf32>, %d: f32, %w: i1) {
  // expected-error @below {{has a condition, but no factors of rows or columns /*chunk_update_c1*/}}
  %0 = qdelta.chunk_update %S decay %d when %w keys() values() reads() : tensor<4x8xf32>, f32 -> tensor<4x8xf32>
  return
}

// -----

// mask_rows_c1
func.func @mask_rows(%x: tensor<2x4xf32>, %valid: tensor<4xi1>) {
  // expected-error @below {{expected one truth value for each row, but got 'tensor<2x4xf32>' and 'tensor<4xi1>' /*mask_rows_c1*/}}
  %0 = qdelta.mask_rows %x by %valid : tensor<2x4xf32>, tensor<4xi1>
  return
}

// -----

// scale_channels_c1
func.func @scale_channels(%x: tensor<2x4xf32>, %by: tensor<1x2xf32>) {
  // expected-error @below {{expected a tile [C, K] and factors [1, K] of one element type, but got 'tensor<2x4xf32>' and 'tensor<1x2xf32>' /*scale_channels_c1*/}}
  %0 = qdelta.scale_channels %x by %by : tensor<2x4xf32>, tensor<1x2xf32>
  return
}

// -----

// chunk_update_c2
func.func @chunk_update(%S: tensor<4x8xf32>, %d: f32, %M: tensor<4x4xf32>) {
  // expected-error @below {{expected a factor for each other state, and states of one type, but got 1 factors for 'tensor<4x4xf32>' with 'tensor<4x8xf32>' /*chunk_update_c2*/}}
  %0 = qdelta.chunk_update %S decay %d with(%M) by(%d) keys() values() reads() : tensor<4x8xf32>, f32 with(tensor<4x4xf32>) by(f32) -> tensor<4x8xf32>
  return
}

// -----

// chunk_transfer_c1: a target and a source for each step.
func.func @chunk_transfer(%g: tensor<2xf32>) {
  // expected-error @below {{with 2 targets and 1 sources, and 'f32' /*chunk_transfer_c1*/}}
  %0 = qdelta.chunk_transfer 0 into 1 through (%g) targets [0, 1] sources [1] : (tensor<2xf32>) -> f32
  return
}

// -----

// chunk_transfer_c1: the result's shape.
func.func @chunk_transfer(%g: tensor<2xf32>) {
  // expected-error @below {{a result of rank 2, but got 'tensor<2xf32>' with 1 targets and 1 sources, and 'tensor<2xf32>' /*chunk_transfer_c1*/}}
  %0 = qdelta.chunk_transfer 0 into 1 through (%g) targets [0] sources [1] from 0 to 1 : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @chunk_transfer(%g: tensor<2xf32>) {
  // expected-error @below {{names place 2 of a list with 1}}
  %0 = qdelta.chunk_transfer 0 into 1 through (%g) targets [0] sources [1] to 2 : (tensor<2xf32>) -> tensor<2xf32>
  return
}
