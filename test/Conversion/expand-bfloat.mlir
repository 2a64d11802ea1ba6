// RUN: qdelta-opt %s -qdelta-expand-bfloat | FileCheck %s
// RUN: qdelta-opt %s -qdelta-expand-bfloat=half=true | FileCheck %s --check-prefix=HALF

// Widening is a shift by 16 bits.
// CHECK-LABEL: func.func @widen(
// CHECK-NOT:   arith.extf
// CHECK:       %[[BITS:.*]] = arith.extui %{{.*}} : vector<8xi16> to vector<8xi32>
// CHECK:       %[[WIDE:.*]] = arith.shli %[[BITS]], %{{.*}} : vector<8xi32>
// CHECK:       arith.bitcast %[[WIDE]] : vector<8xi32> to vector<8xf32>
func.func @widen(%x: vector<8xbf16>) -> vector<8xf32> {
  %0 = arith.extf %x : vector<8xbf16> to vector<8xf32>
  return %0 : vector<8xf32>
}

// Rounding adds half of the last place and cuts; a NaN is chosen apart.
// CHECK-LABEL: func.func @round(
// CHECK-DAG:   %[[NAN:.*]] = arith.cmpf une, %[[X:.*]], %[[X]] : f32
// CHECK-DAG:   arith.constant 32767 : i32
// CHECK:       arith.addi
// CHECK:       arith.shrui
// CHECK:       %[[CUT:.*]] = arith.trunci %{{.*}} : i32 to i16
// CHECK:       arith.select %[[NAN]], %{{.*}}, %[[CUT]] : i16
// CHECK-NOT:   arith.truncf
func.func @round(%x: f32) -> bf16 {
  %0 = arith.truncf %x : f32 to bf16
  return %0 : bf16
}

// Other conversions stay.
// CHECK-LABEL: func.func @others(
// CHECK-NEXT:  arith.extf %{{.*}} : vector<8xf16> to vector<8xf32>
// CHECK-NEXT:  arith.truncf %{{.*}} : vector<8xf32> to vector<8xf16>
// CHECK-NEXT:  arith.truncf %{{.*}} : f64 to f32
// HALF-LABEL: func.func @others(
// HALF-NOT:    arith.{{extf|truncf}} {{.*}}f16
// HALF:        arith.truncf %{{.*}} : f64 to f32
func.func @others(%x: vector<8xf16>, %y: vector<8xf32>, %z: f64) -> (vector<8xf32>, vector<8xf16>, f32) {
  %0 = arith.extf %x : vector<8xf16> to vector<8xf32>
  %1 = arith.truncf %y : vector<8xf32> to vector<8xf16>
  %2 = arith.truncf %z : f64 to f32
  return %0, %1, %2 : vector<8xf32>, vector<8xf16>, f32
}
