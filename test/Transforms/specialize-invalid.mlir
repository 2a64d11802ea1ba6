// RUN: qdelta-opt %s -verify-diagnostics -qdelta-specialize="key=5"
// RUN: not qdelta-opt %s -qdelta-specialize="dtype=f8" 2>&1 | FileCheck %s --check-prefix=DTYPE
// RUN: qdelta-opt %s -qdelta-specialize="dtype=f16" | not qdelta-opt -qdelta-specialize="dtype=bf16" 2>&1 | FileCheck %s --check-prefix=TWICE
// DTYPE: expected dtype to be f64, f32, bf16 or f16, but got f8
// TWICE: cannot store elements of 'tensor<?x?x?x4xf16>' as bf16
// RUN: qdelta-opt %s -qdelta-specialize="dtype=f64" | not qdelta-opt -qdelta-specialize="dtype=bf16" 2>&1 | FileCheck %s --check-prefix=DOUBLE
// DOUBLE: cannot store elements of 'tensor<?x?x?x{{.*}}xf64>' as bf16
// RUN: qdelta-opt %s -qdelta-specialize="dtype=f16" | not qdelta-opt -qdelta-specialize="dtype=f64" 2>&1 | FileCheck %s --check-prefix=HALF
// HALF: cannot store elements of 'tensor<?x?x?x{{.*}}xf16>' as f64

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// expected-error @below {{cannot specialize a dimension of 'tensor<?x?x?x4xf32>' to 5}}
func.func @four(%k: tensor<?x?x?x4xf32>, %v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>)
    -> (tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>) {
  %o, %f = qdelta.scan @step(%k, %v) init(%S)
    : (tensor<?x?x?x4xf32>, tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>)
  return %o, %f : tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>
}
