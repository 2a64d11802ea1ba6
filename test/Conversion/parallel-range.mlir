// RUN: qdelta-opt %s -qdelta-parallel-range -split-input-file -verify-diagnostics | FileCheck %s

// Work item i is batch entry i / HV and head i mod HV.

// CHECK-LABEL: func.func @f_forward(
// CHECK-SAME:  %[[M:.*]]: memref<?x?xf32>, %[[B:.*]]: index, %[[HV:.*]]: index, %[[BEGIN:.*]]: index, %[[END:.*]]: index)
// CHECK:       scf.for %[[ITEM:.*]] = %[[BEGIN]] to %[[END]]
// CHECK:         %[[BATCH:.*]] = arith.divui %[[ITEM]], %[[HV]]
// CHECK:         %[[HEAD:.*]] = arith.remui %[[ITEM]], %[[HV]]
// CHECK:         memref.store %{{.*}}, %[[M]][%[[BATCH]], %[[HEAD]]]
// CHECK-NOT:   scf.forall
func.func @f_forward(%m: memref<?x?xf32>, %B: index, %HV: index) attributes {qdelta.recurrence = @f} {
  %one = arith.constant 1.0 : f32
  scf.forall (%b, %h) in (%B, %HV) {
    memref.store %one, %m[%b, %h] : memref<?x?xf32>
  }
  return
}

// Other functions keep their loops.
// CHECK-LABEL: func.func @other(%{{.*}}: index) {
// CHECK:       scf.forall
func.func @other(%B: index) {
  scf.forall (%b, %h) in (%B, %B) {
  }
  return
}

// -----

// expected-error @below {{expected one scf.forall over batch entries and heads on buffers}}
func.func @none() attributes {qdelta.recurrence = @f} {
  return
}

// -----

// expected-error @below {{expected one scf.forall over batch entries and heads on buffers}}
func.func @one_dimension(%B: index) attributes {qdelta.recurrence = @f} {
  scf.forall (%b) in (%B) {
  }
  return
}
