// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7" | FileCheck %s
// RUN: qdelta-opt %s -qdelta-specialize="value=7" | FileCheck %s --check-prefix=VALUE
// RUN: qdelta-opt %s -qdelta-specialize -qdelta-specialize | FileCheck %s --check-prefix=KEEP
// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7" -qdelta-specialize="key=5 value=7" | FileCheck %s
// RUN: qdelta-opt %s -qdelta-specialize="value=7 dtype=bf16" -qdelta-specialize="key=5 dtype=bf16" | FileCheck %s --check-prefix=NARROW
// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7 dtype=f64" | FileCheck %s --check-prefix=F64 --implicit-check-not=f32
// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7 dtype=f16" -qdelta-specialize | FileCheck %s --check-prefix=F16

// The recurrence gets an entry function; its key, value and state dimensions
// are fixed, batch, time and heads are not. The recurrence itself stays.

// CHECK: qdelta.recurrence @step(state %S: tensor<?x?xf32>)
// CHECK: func.func @step_forward(
// CHECK-SAME: tensor<?x?x?x5xf32>, %{{.*}}: tensor<?x?x?x7xf32>, %{{.*}}: tensor<?x?x?xf32>, %{{.*}}: tensor<?x5xf32>, %{{.*}}: tensor<?xf32>, %{{.*}}: tensor<?x?x5x7xf32>)
// CHECK-SAME: -> (tensor<?x?x?x7xf32>, tensor<?x?x5x7xf32>) attributes {qdelta.recurrence = @step}
// CHECK: qdelta.scan @step
// CHECK-SAME: init(tensor<?x?x5x7xf32>) -> (tensor<?x?x?x7xf32>) final(tensor<?x?x5x7xf32>)

// VALUE: func.func @step_forward(
// VALUE-SAME: tensor<?x?x?x?xf32>, %{{.*}}: tensor<?x?x?x7xf32>, %{{.*}}: tensor<?x?x?xf32>, %{{.*}}: tensor<?x?xf32>, %{{.*}}: tensor<?xf32>, %{{.*}}: tensor<?x?x?x7xf32>)

// A size of 0 keeps `?`; a second run adds no second function.
// KEEP-COUNT-1: func.func @step_forward(%{{.*}}: tensor<?x?x?x?xf32>, %{{.*}}: tensor<?x?x?x?xf32>
// KEEP-NOT: func.func
// Vector tokens and outputs are narrow; scalars, parameters and states are not.
// NARROW: qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>,
// NARROW: func.func @step_forward(
// NARROW-SAME: tensor<?x?x?x5xbf16>, %{{.*}}: tensor<?x?x?x7xbf16>, %{{.*}}: tensor<?x?x?xf32>, %{{.*}}: tensor<?x5xf32>, %{{.*}}: tensor<?xf32>, %{{.*}}: tensor<?x?x5x7xf32>)
// NARROW-SAME: -> (tensor<?x?x?x7xbf16>, tensor<?x?x5x7xf32>)
// NARROW: -> (tensor<?x?x?x7xbf16>) final(tensor<?x?x5x7xf32>)
// F16: func.func @step_forward(%{{.*}}: tensor<?x?x?x5xf16>, %{{.*}}: tensor<?x?x?x7xf16>
// f64 is f64 throughout.
// F64: qdelta.recurrence @step(state %S: tensor<?x?xf64>) token(%k: tensor<?xf64>, %v: tensor<?xf64>, %g: f64)
// F64: func.func @step_forward(
// F64-SAME: tensor<?x?x?x5xf64>, %{{.*}}: tensor<?x?x?x7xf64>, %{{.*}}: tensor<?x?x?xf64>, %{{.*}}: tensor<?x5xf64>, %{{.*}}: tensor<?xf64>, %{{.*}}: tensor<?x?x5x7xf64>)
qdelta.recurrence @step(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>, %s: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
