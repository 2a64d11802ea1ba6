// RUN: not qdelta-opt %s -qdelta-derive-affine 2>&1 | FileCheck %s

// An op with a region uses values that are not its operands: whether it depends
// on the state cannot be told from those.

// CHECK-NOT: isolation
// CHECK: regions-in-a-step.mlir:13:{{[0-9]+}}: error: {{.*}}scf.if
// CHECK-NOT: isolation
qdelta.recurrence @choice(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %x: f32) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %zero = arith.constant 0.0 : f32
  %c = arith.cmpf ogt, %x, %zero : f32
  %e = scf.if %c -> tensor<?xf32> {
    scf.yield %p : tensor<?xf32>
  } else {
    scf.yield %v : tensor<?xf32>
  }
  %Sw = qdelta.write %S key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %v : tensor<?xf32>
}
