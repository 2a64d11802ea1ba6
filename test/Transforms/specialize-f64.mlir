// RUN: qdelta-opt %s -qdelta-specialize="dtype=f64" | FileCheck %s --implicit-check-not=f32
// RUN: qdelta-opt %s -qdelta-specialize="dtype=f64" -qdelta-specialize="dtype=f64" | FileCheck %s

// Constants keep their values, conversions between f32 and f64 are gone, and a
// function that runs the recurrence changes with it.

// CHECK-LABEL: qdelta.recurrence @step(state %S: tensor<?x?xf64>)
// CHECK:       arith.constant 1.000000e-01 : f64
// CHECK:       arith.constant dense<[1.000000e+00, 2.500000e+00]> : tensor<2xf64>
// CHECK-NOT:   arith.{{ext|trunc}}f
qdelta.recurrence @step(state %S: tensor<?x?xf64>) token(%k: tensor<2xf64>, %v: tensor<?xf64>, %g: f64) {
  %tenth = arith.constant 0.1 : f64
  %half = arith.constant dense<[1.0, 2.5]> : tensor<2xf32>
  %wide = arith.extf %half : tensor<2xf32> to tensor<2xf64>
  %x = arith.addf %k, %wide : tensor<2xf64>
  %h = arith.mulf %g, %tenth : f64
  %Sd = qdelta.decay %S by %h : tensor<?x?xf64>, f64
  %Sw = qdelta.write %Sd key %x value %v : tensor<?x?xf64>, tensor<2xf64>, tensor<?xf64>
  %y = qdelta.read %Sw at %k : tensor<?x?xf64>, tensor<2xf64>
  qdelta.yield state %Sw : tensor<?x?xf64> out %y : tensor<?xf64>
}

// CHECK-LABEL: qdelta.recurrence @single(state %S: tensor<?x?xf64>)
qdelta.recurrence @single(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// CHECK-LABEL: func.func @run(%{{.*}}: tensor<?x?x?x4xf64>, %{{.*}}: tensor<?x?x?x8xf64>, %{{.*}}: tensor<?x?x4x8xf64>) -> tensor<?x?x?x8xf64>
func.func @run(%k: tensor<?x?x?x4xf32>, %v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> tensor<?x?x?x8xf32> {
  %o, %f = qdelta.scan @single(%k, %v) init(%S)
    : (tensor<?x?x?x4xf32>, tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>)
  return %o : tensor<?x?x?x8xf32>
}
