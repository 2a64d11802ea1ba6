// RUN: qdelta-opt %s -qdelta-derive-summaries | FileCheck %s
// RUN: qdelta-opt %s -qdelta-derive-summaries="kind=apply" | FileCheck %s --check-prefix=ONLY
// RUN: qdelta-opt %s -qdelta-derive-summaries | qdelta-opt -qdelta-derive-summaries | FileCheck %s
// RUN: qdelta-opt %s "-pass-pipeline=builtin.module(qdelta-derive-summaries,qdelta-to-recurrence,qdelta-check-derivation,qdelta-to-affine,qdelta-check-derivation)" -o /dev/null
// RUN: not qdelta-opt %s -qdelta-derive-summaries="kind=sum" 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: expected kind to be summary, compose or apply, but got sum

// ONLY-NOT: @{{.*}}_summary
// ONLY-NOT: @{{.*}}_compose
// ONLY-COUNT-3: qdelta.recurrence @{{.*}}_apply(

// The step on Q, and its linear part on P. What only outputs used is gone; what
// the state is read at and what an unknown value adds up stay.

// CHECK: qdelta.recurrence @delta(
// CHECK: qdelta.recurrence @delta_summary(state %P: tensor<?x?xf32> {qdelta.square}, %Q: tensor<?x?xf32>)
// CHECK-SAME: token(%k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>, %g: f32 {qdelta.log_decay}, %beta: f32)
// CHECK-SAME: attributes {qdelta.summary_of = @delta}
// CHECK-NOT: %s:
// CHECK: %[[QD:.*]] = qdelta.decay %Q by %g
// CHECK: %[[PD:.*]] = qdelta.decay %P by %g
// CHECK: %[[QR:.*]] = qdelta.read %[[QD]] at %k
// CHECK: %[[PR:.*]] = qdelta.read %[[PD]] at %k
// CHECK: %[[D:.*]] = arith.subf %v, %[[QR]]
// CHECK: %[[L:.*]] = arith.negf %[[PR]]
// CHECK: %[[E:.*]] = qdelta.scale %[[D]] by %beta
// CHECK: %[[M:.*]] = qdelta.scale %[[L]] by %beta
// CHECK: %[[QW:.*]] = qdelta.write %[[QD]] key %k value %[[E]]
// CHECK: %[[PW:.*]] = qdelta.write %[[PD]] key %k value %[[M]]
// CHECK-NEXT: %[[QV:.*]] = qdelta.write %[[QW]] key %k value %v
// CHECK-NEXT: qdelta.yield state %[[PW]], %[[QV]] : tensor<?x?xf32>, tensor<?x?xf32>{{$}}

// CHECK: qdelta.recurrence @delta_compose(state %P: tensor<?x?xf32> {qdelta.square}, %Q: tensor<?x?xf32>) token(%p: tensor<?xf32>, %q: tensor<?xf32>)
// CHECK: %[[A:.*]] = qdelta.read %P at %p
// CHECK: %[[Y:.*]] = qdelta.read %Q at %p
// CHECK: %[[B:.*]] = arith.addf %q, %[[Y]]
// CHECK: qdelta.yield state %P, %Q : {{.*}} out %[[A]], %[[B]]

// CHECK: qdelta.recurrence @delta_apply(state %S: tensor<?x?xf32>) token(%p: tensor<?xf32>, %q: tensor<?xf32>)
// CHECK: %[[Y:.*]] = qdelta.read %S at %p
// CHECK: %[[O:.*]] = arith.addf %q, %[[Y]]
// CHECK: qdelta.yield state %S : {{.*}} out %[[O]]
qdelta.recurrence @delta(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %beta: f32)
    param(%s: f32) {
  %0 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  %2 = arith.subf %v, %1 : tensor<?xf32>
  %3 = qdelta.scale %2 by %beta : tensor<?xf32>, f32
  %4 = qdelta.write %0 key %k value %3 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %5 = qdelta.write %4 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %6 = qdelta.read %5 at %q : tensor<?x?xf32>, tensor<?xf32>
  %7 = qdelta.scale %6 by %s : tensor<?xf32>, f32
  %8 = math.tanh %7 : tensor<?xf32>
  qdelta.yield state %5 : tensor<?x?xf32> out %8 : tensor<?xf32>
}

// A vector state that keys are made with is a state of the summary too.

// CHECK: qdelta.recurrence @turned_summary(state %phi: tensor<?xf32>, %P: tensor<?x?xf32> {qdelta.square}, %Q: tensor<?x?xf32>)
// CHECK-SAME: token(%k: tensor<?xf32>, %v: tensor<?xf32>, %theta: tensor<?xf32>)
// CHECK: %[[PHI:.*]] = arith.addf %phi, %theta
// CHECK: qdelta.yield state %[[PHI]], %P, %{{.*}} :
qdelta.recurrence @turned(state %phi: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %theta: tensor<?xf32>) {
  %0 = arith.addf %phi, %theta : tensor<?xf32>
  %1 = math.cos %0 : tensor<?xf32>
  %2 = arith.mulf %k, %1 : tensor<?xf32>
  %3 = qdelta.write %S key %2 value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %4 = qdelta.read %3 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0, %3 : tensor<?xf32>, tensor<?x?xf32> out %4 : tensor<?xf32>
}

// Inputs keep their names.

// CHECK: qdelta.recurrence @named_summary(state %P_: tensor<?x?xf32> {qdelta.square}, %Q: tensor<?x?xf32>) token(%k: tensor<?xf32>, %P: tensor<?xf32>)
qdelta.recurrence @named(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %P: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %P : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
