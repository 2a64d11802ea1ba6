// RUN: qdelta-opt %s -qdelta-fuse-multiply-adds | FileCheck %s

// A product that only a sum uses becomes part of it; of two products the second.

// CHECK-LABEL: func.func @sums(
// CHECK-SAME:  %[[A:.*]]: vector<8xf32>, %[[B:.*]]: vector<8xf32>, %[[C:.*]]: vector<8xf32>
// CHECK-NEXT:  %[[FIRST:.*]] = math.fma %[[A]], %[[B]], %[[C]]
// CHECK-NEXT:  %[[PRODUCT:.*]] = arith.mulf %[[FIRST]], %[[A]]
// CHECK-NEXT:  %[[SECOND:.*]] = math.fma %[[FIRST]], %[[B]], %[[PRODUCT]]
// CHECK-NEXT:  return %[[SECOND]]
func.func @sums(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) -> vector<8xf32> {
  %0 = arith.mulf %a, %b : vector<8xf32>
  %1 = arith.addf %0, %c : vector<8xf32>
  %2 = arith.mulf %1, %a : vector<8xf32>
  %3 = arith.mulf %1, %b : vector<8xf32>
  %4 = arith.addf %2, %3 : vector<8xf32>
  return %4 : vector<8xf32>
}

// CHECK-LABEL: func.func @differences(
// CHECK-SAME:  %[[A:.*]]: vector<8xf32>, %[[B:.*]]: vector<8xf32>, %[[C:.*]]: vector<8xf32>
// CHECK-NEXT:  %[[LESS:.*]] = arith.negf %[[C]]
// CHECK-NEXT:  %[[FIRST:.*]] = math.fma %[[A]], %[[B]], %[[LESS]]
// CHECK-NEXT:  %[[MINUS:.*]] = arith.negf %[[FIRST]]
// CHECK-NEXT:  %[[SECOND:.*]] = math.fma %[[MINUS]], %[[B]], %[[C]]
// CHECK-NEXT:  return %[[SECOND]]
func.func @differences(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) -> vector<8xf32> {
  %0 = arith.mulf %a, %b : vector<8xf32>
  %1 = arith.subf %0, %c : vector<8xf32>
  %2 = arith.mulf %1, %b : vector<8xf32>
  %3 = arith.subf %c, %2 : vector<8xf32>
  return %3 : vector<8xf32>
}

// What something else uses too is made anyway, and scalars stay.

// CHECK-LABEL: func.func @others(
// CHECK-NOT:   math.fma
// CHECK:       return
func.func @others(%a: vector<8xf32>, %b: vector<8xf32>, %x: f32, %y: f32) -> (vector<8xf32>, vector<8xf32>, f32) {
  %0 = arith.mulf %a, %b : vector<8xf32>
  %1 = arith.addf %0, %a : vector<8xf32>
  %2 = arith.mulf %x, %y : f32
  %3 = arith.addf %2, %x : f32
  return %0, %1, %3 : vector<8xf32>, vector<8xf32>, f32
}
