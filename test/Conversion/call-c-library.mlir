// RUN: qdelta-opt %s -qdelta-call-c-library | FileCheck %s

// Functions that lose digits near 0 inline become calls, others stay, and so do
// those of recurrences.

// CHECK-DAG:   func.func private @log1pf(f32) -> f32
// CHECK-DAG:   func.func private @expm1(f64) -> f64

// CHECK-LABEL: func.func @scalars(
// CHECK:       call @log1pf(%{{.*}}) : (f32) -> f32
// CHECK:       math.exp %{{.*}} : f32
// CHECK:       call @expm1(%{{.*}}) : (f64) -> f64
func.func @scalars(%x: f32, %y: f64) -> (f32, f64) {
  %0 = math.log1p %x : f32
  %1 = math.exp %0 : f32
  %2 = math.expm1 %y : f64
  return %1, %2 : f32, f64
}

// CHECK-LABEL: func.func @vector(
// CHECK-COUNT-2: call @log1pf(
// CHECK-NOT:   math.log1p
// CHECK:       return
func.func @vector(%x: vector<2xf32>) -> vector<2xf32> {
  %0 = math.log1p %x : vector<2xf32>
  return %0 : vector<2xf32>
}

// CHECK-LABEL: qdelta.recurrence @f
// CHECK:       math.log1p
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  %0 = math.log1p %v : tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %0 : tensor<?xf32>
}
