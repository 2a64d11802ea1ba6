// RUN: qdelta-opt %s -qdelta-plan-launches -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false | FileCheck %s

// Numbers 0 to 3 are the entry's v, S, o and S_final, 4 is what lies between.

// CHECK:      func.func private @entry_0
// CHECK:      func.func private @entry_1
// CHECK:      llvm.func @entry()
// CHECK-SAME:   qdelta.arguments = [
// CHECK-SAME:   qdelta.recurrence = @additive
// CHECK-SAME:   qdelta.steps = [{inputs = 1 : i64, kernel = @entry_0, tensors = array<i32: 0, 4>},
// CHECK-SAME:     {inputs = 2 : i64, kernel = @entry_1, tensors = array<i32: 4, 1, 2, 3>}]
// CHECK-SAME:   qdelta.workspaces = [tensor<?x?x?x8xbf16>]

qdelta.recurrence @additive(state %S: tensor<8x8xf32>) token(%v: tensor<8xf32>) {
  %Sw = qdelta.write %S key %v value %v : tensor<8x8xf32>, tensor<8xf32>, tensor<8xf32>
  %y = qdelta.read %Sw at %v : tensor<8x8xf32>, tensor<8xf32>
  qdelta.yield state %Sw : tensor<8x8xf32> out %y : tensor<8xf32>
}
func.func private @entry_0(index, tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xbf16>
func.func private @entry_1(tensor<?x?x?x8xbf16>, tensor<?x?x8x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x8x8xf32>)
func.func @entry(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x8x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x8x8xf32>)
    attributes {qdelta.recurrence = @additive} {
  %c1 = arith.constant 1 : index
  %heads = tensor.dim %S, %c1 : tensor<?x?x8x8xf32>
  %0 = call @entry_0(%heads, %v) : (index, tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xbf16>
  %1:2 = call @entry_1(%0, %S) : (tensor<?x?x?x8xbf16>, tensor<?x?x8x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x8x8xf32>)
  return %1#0, %1#1 : tensor<?x?x?x8xf32>, tensor<?x?x8x8xf32>
}

// -----

qdelta.recurrence @additive(state %S: tensor<8x8xf32>) token(%v: tensor<8xf32>) {
  %Sw = qdelta.write %S key %v value %v : tensor<8x8xf32>, tensor<8xf32>, tensor<8xf32>
  %y = qdelta.read %Sw at %v : tensor<8x8xf32>, tensor<8xf32>
  qdelta.yield state %Sw : tensor<8x8xf32> out %y : tensor<8xf32>
}
func.func private @kernel(tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32>
// expected-error @below {{result 1 is no result of a kernel, or the same as another}}
func.func @entry(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x8x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x8x8xf32>)
    attributes {qdelta.recurrence = @additive} {
  %0 = call @kernel(%v) : (tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32>
  return %0, %S : tensor<?x?x?x8xf32>, tensor<?x?x8x8xf32>
}
