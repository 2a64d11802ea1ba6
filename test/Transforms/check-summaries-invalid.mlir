// RUN: qdelta-opt %s -split-input-file -verify-diagnostics "-pass-pipeline=builtin.module(qdelta-to-recurrence,qdelta-check-derivation)"

// Summaries that are none: each is a mistake that is easily made.

// expected-note @below {{T = 1, seed = }}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %1 = arith.subf %v, %0 : tensor<?xf32>
  %2 = qdelta.write %S key %k value %1 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %2 : tensor<?x?xf32> out %0 : tensor<?xf32>
}
// The sign of what P writes.
// expected-error @below {{is no summary of @f: P S + Q and the final S differ}}
qdelta.recurrence @f_summary(state %P: tensor<?x?xf32> {qdelta.square}, %Q: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>) attributes {qdelta.summary_of = @f} {
  %0 = qdelta.read %Q at %k : tensor<?x?xf32>, tensor<?xf32>
  %1 = arith.subf %v, %0 : tensor<?xf32>
  %2 = qdelta.write %Q key %k value %1 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %3 = qdelta.read %P at %k : tensor<?x?xf32>, tensor<?xf32>
  %4 = qdelta.write %P key %k value %3 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %4, %2 : tensor<?x?xf32>, tensor<?x?xf32>
}

// -----

// expected-note @below {{seed = }}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %v : tensor<?xf32>
}
// What is added last is lost.
// expected-error @below {{is no summary of @f: rows of P S + Q and outputs differ}}
qdelta.recurrence @f_apply(state %S: tensor<?x?xf32>)
    token(%p: tensor<?xf32>, %q: tensor<?xf32>) attributes {qdelta.summary_of = @f} {
  %0 = qdelta.read %S at %p : tensor<?x?xf32>, tensor<?xf32>
  %1 = arith.subf %0, %q : tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %1 : tensor<?xf32>
}

// -----

// expected-error @below {{expected qdelta.summary_of to name a qdelta.recurrence of the module}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) attributes {qdelta.summary_of = @g} {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}
