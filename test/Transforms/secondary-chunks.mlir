// RUN: qdelta-opt %s -qdelta-secondary-chunks | FileCheck %s

// 36 tokens are two blocks of 16 and one of 4. Off the diagonal a block is a
// product of reads that decay from the block's start and writes that decay up to
// it; on the diagonal the decays stay inside.

// CHECK-LABEL: func.func @three_blocks
// CHECK:       %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<36x36xf32>
// CHECK:       %[[D0:.*]] = qdelta.chunk_gram %{{.*}}, %{{.*}} decays(%{{.*}}) from 1 to 0 : tensor<16x5xf32>, tensor<16x5xf32> decays(tensor<16x5xf32>) -> tensor<16x16xf32>
// CHECK:       %[[M0:.*]] = tensor.insert_slice %[[D0]] into %[[ZERO]][0, 0]
// CHECK:       %[[D1:.*]] = qdelta.chunk_gram {{.*}} -> tensor<16x16xf32>
// CHECK:       %[[M1:.*]] = tensor.insert_slice %[[D1]] into %[[M0]][16, 16]
// CHECK:       %[[TO:.*]] = qdelta.chunk_decay(%{{.*}}) to 0 : (tensor<16x5xf32>) -> tensor<16x5xf32>
// CHECK:       %[[X:.*]] = arith.mulf %{{.*}}, %[[TO]]
// CHECK:       %[[FROM:.*]] = qdelta.chunk_decay(%{{.*}}) from 1 : (tensor<16x5xf32>) -> tensor<16x5xf32>
// CHECK:       %[[A:.*]] = arith.mulf %{{.*}}, %[[FROM]]
// CHECK:       %[[B:.*]] = qdelta.chunk_gram %[[X]], %[[A]] : tensor<16x5xf32>, tensor<16x5xf32> -> tensor<16x16xf32>
// CHECK:       %[[M2:.*]] = tensor.insert_slice %[[B]] into %[[M1]][16, 0]
// CHECK:       qdelta.chunk_gram {{.*}} decays({{.*}} -> tensor<4x4xf32>
// CHECK:       qdelta.chunk_decay(%{{.*}}) from 1 : (tensor<32x5xf32>) -> tensor<32x5xf32>
// CHECK:       qdelta.chunk_gram %{{.*}}, %{{.*}} : tensor<4x5xf32>, tensor<32x5xf32> -> tensor<4x32xf32>
// CHECK:       tensor.insert_slice {{.*}}[32, 0]
// CHECK:       return
func.func @three_blocks(%x: tensor<36x5xf32>, %a: tensor<36x5xf32>, %g: tensor<36x5xf32>) -> tensor<36x36xf32> {
  %0 = qdelta.chunk_gram %x, %a decays(%g) from 1 to 0 : tensor<36x5xf32>, tensor<36x5xf32> decays(tensor<36x5xf32>) -> tensor<36x36xf32>
  return %0 : tensor<36x36xf32>
}

// One block, and a product without decays, stay.
// CHECK-LABEL: func.func @stay
// CHECK-NEXT:  qdelta.chunk_gram %arg0, %arg0 decays(%arg0)
// CHECK-NEXT:  qdelta.chunk_gram %arg1, %arg1 :
// CHECK-NEXT:  return
func.func @stay(%x: tensor<16x5xf32>, %y: tensor<17x5xf32>) -> (tensor<16x16xf32>, tensor<17x17xf32>) {
  %0 = qdelta.chunk_gram %x, %x decays(%x) from 1 to 1 inclusive : tensor<16x5xf32>, tensor<16x5xf32> decays(tensor<16x5xf32>) -> tensor<16x16xf32>
  %1 = qdelta.chunk_gram %y, %y : tensor<17x5xf32>, tensor<17x5xf32> -> tensor<17x17xf32>
  return %0, %1 : tensor<16x16xf32>, tensor<17x17xf32>
}
