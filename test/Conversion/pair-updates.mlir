// RUN: qdelta-opt %s -split-input-file -qdelta-pair-updates -verify-diagnostics | FileCheck %s

// Keys of two tokens alternate; two rows of the state take one product of pairs
// each for the tokens' values, and one for both for each read.

// CHECK-LABEL: func.func @update
// CHECK:       %[[A0:.*]] = vector.transfer_read {{.*}} : tensor<2x8xbf16>, vector<8xbf16>
// CHECK:       %[[A1:.*]] = vector.transfer_read {{.*}} : tensor<2x8xbf16>, vector<8xbf16>
// CHECK:       %[[A:.*]] = vector.interleave %[[A0]], %[[A1]] : vector<8xbf16>
// CHECK:       %[[KEYS:.*]] = vector.transfer_write %[[A]]
// CHECK-COUNT-2: x86vector.avx512.cvt.packed.f32_to_bf16
// CHECK:       %[[E:.*]] = vector.interleave
// CHECK-NOT:   scf.if
// CHECK:       scf.for %[[K:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[Y0:.*]] = %{{.*}}, %[[Y1:.*]] = %{{.*}})
// CHECK:         %[[R0:.*]] = x86vector.avx512.dot %{{.*}}, %[[E]], %{{.*}} : vector<32xbf16> -> vector<16xf32>
// CHECK:         %[[R1:.*]] = x86vector.avx512.dot %{{.*}}, %[[E]], %{{.*}} : vector<32xbf16> -> vector<16xf32>
// CHECK:         vector.transfer_write %[[R0]]
// CHECK:         vector.transfer_write %[[R1]]
// CHECK:         %[[B0:.*]] = x86vector.avx512.cvt.packed.f32_to_bf16 %[[R0]]
// CHECK:         %[[B1:.*]] = x86vector.avx512.cvt.packed.f32_to_bf16 %[[R1]]
// CHECK:         %[[B:.*]] = vector.interleave %[[B0]], %[[B1]]
// CHECK:         x86vector.avx512.dot %[[Y0]], %[[B]]
// CHECK:         x86vector.avx512.dot %[[Y1]], %[[B]]
// CHECK-NOT:   qdelta.
func.func @update(%S: tensor<8x16xf32>, %a: tensor<2x8xbf16>, %e: tensor<2x16xf32>, %x: tensor<2x8xbf16>)
    -> (tensor<8x16xf32>, tensor<2x16xf32>) {
  %one = arith.constant 1.0 : f32
  %0, %y = qdelta.chunk_update %S decay %one keys(%a) values(%e) reads(%x)
    : tensor<8x16xf32>, f32 keys(tensor<2x8xbf16>) values(tensor<2x16xf32>) reads(tensor<2x8xbf16>)
    -> tensor<8x16xf32>, (tensor<2x16xf32>)
  return %0, %y : tensor<8x16xf32>, tensor<2x16xf32>
}

// A chunk that decays has a loop of its own.
// CHECK-LABEL: func.func @decay
// CHECK:       arith.cmpf une
// CHECK:       scf.if
// CHECK:         arith.mulf %{{.*}} : vector<16xf32>
// CHECK:       } else {
// CHECK-NOT:     arith.mulf
// CHECK:       return
func.func @decay(%S: tensor<8x16xf32>, %d: f32, %a: tensor<2x8xbf16>, %e: tensor<2x16xf32>) -> tensor<8x16xf32> {
  %0 = qdelta.chunk_update %S decay %d keys(%a) values(%e) reads()
    : tensor<8x16xf32>, f32 keys(tensor<2x8xbf16>) values(tensor<2x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// -----

func.func @odd(%S: tensor<7x16xf32>, %d: f32, %a: tensor<2x7xbf16>, %e: tensor<2x16xf32>) -> tensor<7x16xf32> {
  // expected-error @below {{products of pairs need an even number of keys and tokens, and columns that fill registers of 16, but got 7, 2 and 16}}
  %0 = qdelta.chunk_update %S decay %d keys(%a) values(%e) reads()
    : tensor<7x16xf32>, f32 keys(tensor<2x7xbf16>) values(tensor<2x16xf32>) -> tensor<7x16xf32>
  return %0 : tensor<7x16xf32>
}

// -----

func.func @mixed(%S: tensor<8x16xf32>, %d: f32, %a: tensor<2x8xbf16>, %e: tensor<2x16xf32>, %x: tensor<2x8xf32>) -> tensor<8x16xf32> {
  // expected-error @below {{expected all keys to be bf16, but got 'tensor<2x8xf32>'}}
  %0, %y = qdelta.chunk_update %S decay %d keys(%a) values(%e) reads(%x)
    : tensor<8x16xf32>, f32 keys(tensor<2x8xbf16>) values(tensor<2x16xf32>) reads(tensor<2x8xf32>)
    -> tensor<8x16xf32>, (tensor<2x16xf32>)
  return %0 : tensor<8x16xf32>
}

// -----

func.func @channels(%S: tensor<8x16xf32>, %d: f32, %c: tensor<1x8xf32>, %a: tensor<2x8xbf16>, %e: tensor<2x16xf32>) -> tensor<8x16xf32> {
  // expected-error @below {{products of pairs need rows that decay alike, but got a decay per key channel}}
  %0 = qdelta.chunk_update %S decay %d channels %c keys(%a) values(%e) reads()
    : tensor<8x16xf32>, f32 channels tensor<1x8xf32> keys(tensor<2x8xbf16>) values(tensor<2x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}
