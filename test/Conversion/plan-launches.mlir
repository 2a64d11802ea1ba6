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

// -----

// A kernel that updates a state in place has no tensor for what it returns of it. Where
// levels are heads, what is made between kernels has heads for all of them.

// CHECK:      llvm.func @step()
// CHECK-SAME:   qdelta.steps = [{inputs = 3 : i64, kernel = @step_0, tensors = array<i32: 0, 1, 2, 4>},
// CHECK-SAME:     {inputs = 2 : i64, kernel = @step_1, tensors = array<i32: 4, 1, 3>}]
// CHECK-SAME:   qdelta.workspaces = [tensor<?x?x?x8xf32, "level_heads">]

!seq = tensor<?x?x?x8xf32>
!levels = tensor<?x?x?x?xf32>
qdelta.recurrence @sums(state %S: tensor<8x8xf32>)
    token(%v: tensor<8xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %Sw = qdelta.write %S key %v value %v : tensor<8x8xf32>, tensor<8xf32>, tensor<8xf32>
  %y = qdelta.read %Sw at %v : tensor<8x8xf32>, tensor<8xf32>
  %o = qdelta.scale %y by %l : tensor<8xf32>, f32
  qdelta.yield state %Sw : tensor<8x8xf32> out %o : tensor<8xf32>
}
func.func private @step_0(%v: !seq, %l: tensor<?x?x?xf32>, %S: tensor<?x?x8x8xf32>) -> (!seq, tensor<?x?x8x8xf32>) {
  %o, %f = qdelta.affine_scan(%v, %l) init(%S) in_place
    attributes {arg_names = ["v", "l"],
      facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (!seq, tensor<?x?x?xf32>) init(tensor<?x?x8x8xf32>) -> (!seq) final(tensor<?x?x8x8xf32>) {
  ^bb0(%tv: tensor<8xf32>, %tl: f32):
    qdelta.affine_write 0 key %tv value (%tl) * (%tv) : tensor<8xf32>, (f32) * (tensor<8xf32>)
    %y = qdelta.affine_read 0 at (%tl) * (%tv) : (f32) * (tensor<8xf32>)
    qdelta.affine_output(%tl) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o, %f : !seq, tensor<?x?x8x8xf32>
}
func.func private @step_1(%parts: !seq, %l: !levels) -> !seq {
  %o = qdelta.add_levels %parts like %l : !seq, !levels -> !seq
  return %o : !seq
}
func.func @step(%v: !seq, %l: !levels, %S: tensor<?x?x8x8xf32>) -> (!seq, tensor<?x?x8x8xf32>)
    attributes {qdelta.recurrence = @sums} {
  %heads = tensor.collapse_shape %l [[0], [1], [2, 3]] : !levels into tensor<?x?x?xf32>
  %0:2 = call @step_0(%v, %heads, %S) : (!seq, tensor<?x?x?xf32>, tensor<?x?x8x8xf32>) -> (!seq, tensor<?x?x8x8xf32>)
  %1 = call @step_1(%0#0, %l) : (!seq, !levels) -> !seq
  return %1, %0#1 : !seq, tensor<?x?x8x8xf32>
}
