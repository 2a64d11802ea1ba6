// RUN: qdelta-opt %s -qdelta-test-elements | FileCheck %s

// The smallest number is below the bound where any number is, and so with the
// largest.
// CHECK-LABEL: func.func @outside(
// CHECK-SAME:  %[[ROW:.*]]: vector<8xf32>
// CHECK-NOT:   minimumf
// CHECK:       %[[LOW:.*]] = arith.cmpf ult, %[[ROW]], %{{.*}} : vector<8xf32>
// CHECK:       %[[ANYLOW:.*]] = vector.reduction <or>, %[[LOW]] : vector<8xi1> into i1
// CHECK:       %[[HIGH:.*]] = arith.cmpf ugt, %[[ROW]], %{{.*}} : vector<8xf32>
// CHECK:       %[[ANYHIGH:.*]] = vector.reduction <or>, %[[HIGH]] : vector<8xi1> into i1
// CHECK:       arith.ori %[[ANYLOW]], %[[ANYHIGH]]
func.func @outside(%row: vector<8xf32>) -> i1 {
  %low = arith.constant 0.5 : f32
  %high = arith.constant 2.0 : f32
  %smallest = vector.reduction <minimumf>, %row : vector<8xf32> into f32
  %below = arith.cmpf ult, %smallest, %low : f32
  %largest = vector.reduction <maximumf>, %row : vector<8xf32> into f32
  %above = arith.cmpf ugt, %largest, %high : f32
  %outside = arith.ori %below, %above : i1
  return %outside : i1
}

// A number that is no number is not below the bound here, but the smallest one
// is none then: all would have to be compared with themselves too. The second
// extreme is used for itself.
// CHECK-LABEL: func.func @other(
// CHECK:       vector.reduction <minimumf>
// CHECK:       arith.cmpf olt
// CHECK:       %[[LARGEST:.*]] = vector.reduction <maximumf>
// CHECK:       vector.reduction <or>
// CHECK:       return %{{.*}}, %{{.*}}, %[[LARGEST]]
func.func @other(%row: vector<8xf32>) -> (i1, i1, f32) {
  %low = arith.constant 0.5 : f32
  %smallest = vector.reduction <minimumf>, %row : vector<8xf32> into f32
  %below = arith.cmpf olt, %smallest, %low : f32
  %largest = vector.reduction <maximumf>, %row : vector<8xf32> into f32
  %above = arith.cmpf ugt, %largest, %low : f32
  return %below, %above, %largest : i1, i1, f32
}
