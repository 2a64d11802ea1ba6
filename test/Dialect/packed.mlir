// RUN: qdelta-opt %s | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s --mlir-print-op-generic | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -qdelta-derive-affine | qdelta-opt -qdelta-derive-affine | FileCheck %s --check-prefix=AFFINE

// Sequences of different lengths: cu_seqlens goes from a scan to each of its
// lists and prescans.

qdelta.recurrence @step(state %n: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %m = arith.addf %n, %k : tensor<?xf32>
  %0 = qdelta.write %S key %m value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %m, %0 : tensor<?xf32>, tensor<?x?xf32> out %1 : tensor<?xf32>
}

// CHECK-LABEL: func.func @i32
// CHECK: qdelta.scan @step(%{{.*}}, %{{.*}}) init(%{{.*}}, %{{.*}}) cu_seqlens(%{{.*}} : tensor<?xi32>) : (tensor<1x?x?x?xf32>, tensor<1x?x?x?xf32>) init
// AFFINE-LABEL: func.func @i32
// AFFINE: qdelta.prescan heads %{{.*}}(%{{.*}}) init(%{{.*}}) cu_seqlens(%{{.*}} : tensor<?xi32>) attributes
// AFFINE: qdelta.affine_scan(%{{.*}}) init(%{{.*}}) cu_seqlens(%{{.*}} : tensor<?xi32>) attributes
func.func @i32(%k: tensor<1x?x?x?xf32>, %v: tensor<1x?x?x?xf32>, %n: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>, %cu: tensor<?xi32>)
    -> (tensor<1x?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?x?xf32>) {
  %o, %f:2 = qdelta.scan @step(%k, %v) init(%n, %S) cu_seqlens(%cu : tensor<?xi32>)
    : (tensor<1x?x?x?xf32>, tensor<1x?x?x?xf32>) init(tensor<?x?x?xf32>, tensor<?x?x?x?xf32>) -> (tensor<1x?x?x?xf32>) final(tensor<?x?x?xf32>, tensor<?x?x?x?xf32>)
  return %o, %f#0, %f#1 : tensor<1x?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?x?xf32>
}

// CHECK-LABEL: func.func @i64
// CHECK: cu_seqlens(%{{.*}} : tensor<4xi64>)
// AFFINE-LABEL: func.func @i64
// AFFINE-COUNT-2: cu_seqlens(%{{.*}} : tensor<4xi64>)
func.func @i64(%k: tensor<1x9x2x4xf32>, %v: tensor<1x9x2x5xf32>, %n: tensor<3x2x4xf32>, %S: tensor<3x2x4x5xf32>, %cu: tensor<4xi64>)
    -> (tensor<1x9x2x5xf32>, tensor<3x2x4xf32>, tensor<3x2x4x5xf32>) {
  %o, %f:2 = qdelta.scan @step(%k, %v) init(%n, %S) cu_seqlens(%cu : tensor<4xi64>)
    : (tensor<1x9x2x4xf32>, tensor<1x9x2x5xf32>) init(tensor<3x2x4xf32>, tensor<3x2x4x5xf32>) -> (tensor<1x9x2x5xf32>) final(tensor<3x2x4xf32>, tensor<3x2x4x5xf32>)
  return %o, %f#0, %f#1 : tensor<1x9x2x5xf32>, tensor<3x2x4xf32>, tensor<3x2x4x5xf32>
}
