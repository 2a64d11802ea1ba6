// RUN: qdelta-opt %s -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false \
// RUN:   -pass-pipeline='builtin.module(qdelta-derive-affine,qdelta-select-schedule{target=sm_90a},qdelta-outline-kernels)' | FileCheck %s
// RUN: qdelta-opt %s -split-input-file --mlir-print-op-on-diagnostic=false -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(qdelta-derive-affine,qdelta-select-schedule{target=sm_90a},qdelta-outline-kernels,qdelta-check-derivation)'

// Work before the core and after it. What lies between is in the format of
// the core's products; the function's own results are as they were.

// CHECK-LABEL: func.func private @layer_0(
// CHECK-SAME:    %{{.*}}: index, %{{.*}}: tensor<?x?x?x16xbf16>) -> tensor<?x?x?x16xbf16>
// CHECK:         qdelta.prescan
// CHECK-SAME:      span = 32
// CHECK-LABEL: func.func private @layer_1(
// CHECK-SAME:    -> (tensor<?x?x?x32xbf16>, tensor<?x?x16x32xf32>)
// CHECK:         qdelta.affine_scan
// CHECK-SAME:      operands = "bf16"
// CHECK-LABEL: func.func private @layer_2(
// CHECK-SAME:    index, %{{.*}}: tensor<?x?x?x32xbf16>{{.*}}) -> tensor<?x?x?x32xbf16>
// CHECK:         qdelta.prescan
// CHECK-LABEL: func.func @layer(
// CHECK:         %[[K:.*]] = call @layer_0(
// CHECK:         %[[CORE:.*]]:2 = call @layer_1({{.*}}%[[K]]
// CHECK:         %[[O:.*]] = call @layer_2({{.*}}%[[CORE]]#0
// CHECK:         return %[[O]], %[[CORE]]#1

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %e = math.exp %k : tensor<?xf32>
  %sum = qdelta.mean %e : tensor<?xf32> -> f32
  %ones = qdelta.splat %sum like %k : f32, tensor<?xf32>
  %kt = arith.divf %e, %ones : tensor<?xf32>
  %Sw = qdelta.write %S key %kt value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %kt : tensor<?x?xf32>, tensor<?xf32>
  %o = arith.mulf %y, %y : tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
func.func @layer(%k: tensor<?x?x?x16xbf16>, %v: tensor<?x?x?x32xbf16>, %S: tensor<?x?x16x32xf32>)
    -> (tensor<?x?x?x32xbf16>, tensor<?x?x16x32xf32>) {
  %o, %f = qdelta.scan @step(%k, %v) init(%S)
    : (tensor<?x?x?x16xbf16>, tensor<?x?x?x32xbf16>) init(tensor<?x?x16x32xf32>) -> (tensor<?x?x?x32xbf16>) final(tensor<?x?x16x32xf32>)
  return %o, %f : tensor<?x?x?x32xbf16>, tensor<?x?x16x32xf32>
}
