// RUN: qdelta-opt %s -split-input-file -qdelta-specialize="key=4 value=6 segments=3" | FileCheck %s
// RUN: not qdelta-opt %s -split-input-file -qdelta-specialize="segments=-1" 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not qdelta-opt %s -split-input-file -qdelta-specialize="segments=3 entry=packed" 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: qdelta-opt %s -split-input-file -qdelta-specialize="key=4 value=6 segments=0" | FileCheck %s --check-prefix=AUTO
// COUNT: expected segments to be at least 0, but got -1
// ENTRY: expected entry=forward, whose sequences are split, with segments, but got packed

// A function of any sizes is run for segments itself. Sizes that are not known, or
// short sequences, are left whole where the compiler may choose.
// CHECK-DAG: func.func @add_summary_forward({{.*}}tensor<?x?x4x4xf32>, %{{.*}}: tensor<?x?x4x6xf32>)
// CHECK-DAG: func.func @add_apply_forward(
// CHECK-DAG: func.func @add_forward({{.*}}qdelta.segments = {apply = "add_apply", count = 3 : i64, summary = "add_summary"}
// AUTO-NOT: qdelta.segments
qdelta.recurrence @add(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// -----

// One of static sizes has another one for that; a vector state is advanced.
// CHECK-DAG: func.func @turn_forward({{.*}}tensor<?x?x?x6xf32>
// CHECK-DAG: func.func @turn_advance_forward(
// CHECK-DAG: func.func @fixed({{.*}}qdelta.segments = {advance = "turn_advance", apply = "turn_apply", count = 3 : i64, run = "turn", summary = "turn_summary"}
!k = tensor<1x64x1x4xf32>
!v = tensor<1x64x1x6xf32>
qdelta.recurrence @turn(state %phi: tensor<?xf32>, %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = arith.addf %phi, %k : tensor<?xf32>
  %1 = qdelta.write %S key %0 value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %2 = qdelta.read %1 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0, %1 : tensor<?xf32>, tensor<?x?xf32> out %2 : tensor<?xf32>
}
func.func @fixed(%k: !k, %v: !v, %p: tensor<1x1x4xf32>, %S: tensor<1x1x4x6xf32>) -> (!v, tensor<1x1x4xf32>, tensor<1x1x4x6xf32>) {
  %o, %f:2 = qdelta.scan @turn(%k, %v) init(%p, %S) : (!k, !v) init(tensor<1x1x4xf32>, tensor<1x1x4x6xf32>) -> (!v) final(tensor<1x1x4xf32>, tensor<1x1x4x6xf32>)
  return %o, %f#0, %f#1 : !v, tensor<1x1x4xf32>, tensor<1x1x4x6xf32>
}
