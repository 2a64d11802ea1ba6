// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7 entry=packed" | FileCheck %s
// RUN: qdelta-opt %s -qdelta-specialize="entry=packed cu-seqlens=i64" -qdelta-specialize="key=5 value=7 entry=packed" | FileCheck %s --check-prefix=I64
// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7" -qdelta-specialize="entry=packed dtype=bf16" | FileCheck %s --check-prefix=BOTH
// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7 entry=packed" -qdelta-specialize="entry=step_indexed" -qdelta-specialize="entry=step_indexed" -qdelta-specialize="entry=step" | FileCheck %s --check-prefix=KINDS
// RUN: not qdelta-opt %s -qdelta-specialize="entry=backward" 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not qdelta-opt %s -qdelta-specialize="entry=packed cu-seqlens=f32" 2>&1 | FileCheck %s --check-prefix=TYPE
// ENTRY: expected entry to be forward, packed, step, step_indexed, summary, compose, apply, but got backward
// TYPE: expected cu-seqlens to be i32 or i64, but got f32

// Tokens and outputs are one sequence, states one for each, and where each ends
// comes behind them.

// CHECK-NOT: @step_forward
// CHECK: func.func @step_packed(
// CHECK-SAME: tensor<1x?x?x5xf32>, %{{.*}}: tensor<1x?x?x7xf32>, %{{.*}}: tensor<1x?x?xf32>, %{{.*}}: tensor<?xf32>, %{{.*}}: tensor<?x?x5x7xf32>, %[[CU:.*]]: tensor<?xi32>)
// CHECK-SAME: -> (tensor<1x?x?x7xf32>, tensor<?x?x5x7xf32>) attributes {qdelta.recurrence = @step}
// CHECK: qdelta.scan @step{{.*}} cu_seqlens(%[[CU]] : tensor<?xi32>)

// A second run adds no second function.
// I64-COUNT-1: func.func @step_packed({{.*}}tensor<1x?x?x5xf32>{{.*}}tensor<?xi64>)
// I64-NOT: func.func

// The module may have both.
// BOTH-DAG: func.func @step_forward({{.*}}tensor<?x?x5x7xf32>)
// BOTH-DAG: func.func @step_packed({{.*}}tensor<1x?x?x?xbf16>{{.*}}tensor<?xi32>)

// Or one of each kind; an index is not cu_seqlens.
// KINDS: func.func @step_step(
// KINDS: qdelta.step @step
// KINDS: func.func @step_step_indexed({{.*}}tensor<?x?x?x?xf32>{{.*}}%[[INDEX:[a-z0-9]+]]: tensor<?xi32>)
// KINDS: qdelta.step @step{{.*}} state_index(%[[INDEX]] : tensor<?xi32>)
// KINDS: func.func @step_packed(
// KINDS: qdelta.scan @step{{.*}} cu_seqlens(
// KINDS-NOT: func.func
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32) {
  %0 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %1 = qdelta.write %0 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %2 = qdelta.read %1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %3 = qdelta.scale %2 by %s : tensor<?xf32>, f32
  qdelta.yield state %1 : tensor<?x?xf32> out %3 : tensor<?xf32>
}
