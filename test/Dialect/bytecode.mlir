// RUN: qdelta-opt %S/ops.mlir > %t.text
// RUN: qdelta-opt %S/ops.mlir -emit-bytecode | qdelta-opt | diff - %t.text
// RUN: qdelta-opt %s -emit-bytecode | qdelta-opt | FileCheck %s

// Bytecode keeps everything, and carries the dialect's version.

// RUN: qdelta-opt %s -emit-bytecode > %t.bc
// RUN: %python %S/Inputs/raise_version.py %t.bc %t.newer.bc
// RUN: not qdelta-opt %t.newer.bc 2>&1 | FileCheck %s --check-prefix=NEWER
// NEWER: qdelta bytecode has version {{[0-9]+}} but this compiler reads up to {{[0-9]+}}

// CHECK-LABEL: qdelta.recurrence @additive
qdelta.recurrence @additive(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>) {
  // CHECK: qdelta.write %S key %k value %v
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
