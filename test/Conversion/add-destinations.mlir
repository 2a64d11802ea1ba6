// RUN: qdelta-opt %s -qdelta-add-destinations -split-input-file -verify-diagnostics | FileCheck %s

// An entry function gets one writable argument a result, a description of all
// its buffers, and a C interface. Batch, time and heads are -1, -2 and the
// like in a shape; V is known.

// CHECK-LABEL: func.func @f_forward(
// CHECK-SAME:  %[[V:.*]]: tensor<?x?x?x8xf32>, %[[S:.*]]: tensor<?x?x4x8xf32>,
// CHECK-SAME:  %[[O:.*]]: tensor<?x?x?x8xf32> {bufferization.writable = true},
// CHECK-SAME:  %[[F:.*]]: tensor<?x?x4x8xf32> {bufferization.writable = true})
// CHECK-SAME:  llvm.emit_c_interface
// CHECK-SAME:  {dtype = f32, name = "v", role = {{[0-9]+}} : i64, shape = array<i64: {{-[0-9]+, -[0-9]+, -[0-9]+}}, 8>, usual_heads = {{-[0-9]+}} : i64}
// CHECK-SAME:  {dtype = f32, name = "S", role = {{[0-9]+}} : i64, shape = array<i64: {{-[0-9]+, -[0-9]+}}, 4, 8>}
// CHECK-SAME:  {dtype = f32, name = "o", role = {{[0-9]+}} : i64, shape = array<i64: {{-[0-9]+, -[0-9]+, -[0-9]+}}, 8>}
// CHECK-SAME:  {dtype = f32, name = "S_final", role = {{[0-9]+}} : i64, shape = array<i64: {{-[0-9]+, -[0-9]+}}, 4, 8>}
// CHECK:       scf.forall {{.*}} shared_outs(%{{.*}} = %[[O]], %{{.*}} = %[[F]])

qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}
func.func @f_forward(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>)
    attributes {qdelta.recurrence = @f} {
  %c0 = arith.constant 0 : index
  %B = tensor.dim %S, %c0 : tensor<?x?x4x8xf32>
  %o = tensor.empty(%B, %B, %B) : tensor<?x?x?x8xf32>
  %f = tensor.empty(%B, %B) : tensor<?x?x4x8xf32>
  %r:2 = scf.forall (%b, %h) in (%B, %B) shared_outs(%x = %o, %y = %f) -> (tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>) {
  }
  return %r#0, %r#1 : tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>
}

// A final state that is computed in its initial one's place is that argument.
// CHECK-LABEL: func.func @f_step(
// CHECK-SAME:  %{{.*}}: tensor<?x?x?x8xf32>, %[[S:.*]]: tensor<?x?x4x8xf32> {bufferization.writable = true},
// CHECK-SAME:  %[[O:.*]]: tensor<?x?x?x8xf32> {bufferization.writable = true})
// CHECK-SAME:  name = "S", role = 6 : i64, shape = array<i64: {{-[0-9]+, -[0-9]+}}, 4, 8>}, {dtype = f32, name = "o"
// CHECK-NOT:   S_final
// CHECK:       scf.forall {{.*}} shared_outs(%{{.*}} = %[[O]], %{{.*}} = %[[S]])
func.func @f_step(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>)
    attributes {qdelta.recurrence = @f} {
  %c0 = arith.constant 0 : index
  %B = tensor.dim %S, %c0 : tensor<?x?x4x8xf32>
  %o = tensor.empty(%B, %B, %B) : tensor<?x?x?x8xf32>
  %r:2 = scf.forall (%b, %h) in (%B, %B) shared_outs(%x = %o, %y = %S) -> (tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>) {
  }
  return %r#0, %r#1 : tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>
}

// Other functions stay as they are.
// CHECK-LABEL: func.func @other(%{{.*}}: tensor<4xf32>) -> tensor<4xf32> {
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}
// expected-error @below {{result 0 is computed neither in an empty tensor nor in an argument's place by scf.forall}}
func.func @f_forward(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>)
    attributes {qdelta.recurrence = @f} {
  return %v, %S : tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>
}
