// RUN: qdelta-opt %s -split-input-file -qdelta-derive-affine | FileCheck %s

// The decay, then one read at k + lambda q: two bases, so that the output's
// read at q costs no product of its own.
// CHECK-LABEL: func.func @q_delta_forward
// CHECK-SAME:  attributes {qdelta.recurrence = @q_delta}
// CHECK:       qdelta.affine_scan
// CHECK-SAME:  facts = #qdelta.facts<decay = scalar, reads = 2, writes = 1, unknown = [true], bounded = false>
// CHECK-NEXT:  ^bb0(%q: {{.*}}, %k: {{.*}}, %v: {{.*}}, %g: f32, %beta: f32, %lambda: f32, %scale: f32)
// CHECK:       qdelta.affine_decay 0 by %g : f32
// CHECK:       %[[ONE:.*]] = arith.constant 1.0
// CHECK:       %[[P:.*]] = qdelta.affine_read 0 at (%[[ONE]], %lambda) * (%k, %q)
// CHECK:       %[[M:.*]] = arith.negf %beta
// CHECK:       qdelta.affine_write 0 key %k value (%beta, %[[M]]) * (%v, %[[P]])
// CHECK:       %[[Y:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%q)
// CHECK:       qdelta.affine_output(%scale) * (%[[Y]])
// CHECK-NEXT:  qdelta.affine_end
// CHECK-NOT:   qdelta.scan
qdelta.recurrence @q_delta(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %beta: f32 {qdelta.range = [0.0, 1.0]},
          %lambda: f32 {qdelta.range = [0.0, 1.0]}) param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %lq = qdelta.scale %q by %lambda : tensor<?xf32>, f32
  %x = arith.addf %k, %lq : tensor<?xf32>
  %p = qdelta.read %Sd at %x : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %scale : tensor<?xf32>, f32
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}

// -----

// A read at the write's own unit key with a coefficient in [-1, 0]: bounded.
// CHECK-LABEL: func.func @gated_delta_net_forward
// CHECK:       facts = #qdelta.facts<decay = scalar, reads = 2, writes = 1, unknown = [true], bounded = true>
qdelta.recurrence @gated_delta_net(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %beta: f32 {qdelta.range = [0.0, 1.0]}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// beta up to 2 is not bounded; the same holds without a log_decay.
// CHECK-LABEL: func.func @wide_forward
// CHECK:       facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [true], bounded = false>
qdelta.recurrence @wide(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>, %beta: f32 {qdelta.range = [0.0, 2.0]}) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %S key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// The factor of a scaled key moves into the written value: the read and the
// write share the key.
// CHECK-LABEL: func.func @scaled_key_forward
// CHECK:       facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [true], bounded = false>
// CHECK:       %[[P:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%k)
// CHECK:       qdelta.affine_write 0 key %k value (%[[A:.*]], %[[B:.*]]) * (%v, %[[P]])
qdelta.recurrence @scaled_key(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %a: f32) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %ak = qdelta.scale %k by %a : tensor<?xf32>, f32
  %Sw = qdelta.write %S key %ak value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %p : tensor<?xf32>
}

// -----

// Reads before and after each stage keep their places in the list, whatever
// their order in the step.
// CHECK-LABEL: func.func @places_forward
// CHECK:       %[[BEFORE:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%k)
// CHECK:       qdelta.affine_decay 0 by %g
// CHECK:       %[[BETWEEN:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%k)
// CHECK:       qdelta.affine_write 0 key %k value (%{{.*}}) * (%v)
// CHECK:       %[[AFTER:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%k)
// CHECK:       qdelta.affine_output(%{{.*}}, %{{.*}}) * (%[[AFTER]], %[[BETWEEN]])
// CHECK:       qdelta.affine_output(%{{.*}}) * (%[[BEFORE]])
qdelta.recurrence @places(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %after = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  %between = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %before = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %sum = arith.addf %after, %between : tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %sum, %before : tensor<?xf32>, tensor<?xf32>
}

// -----

// A decay that only parameters reach is constant, also through arithmetic; what
// is not stated to be at most 0 bounds nothing.
// CHECK-LABEL: func.func @constant_forward
// CHECK:       facts = #qdelta.facts<decay = constant, reads = 1, writes = 1, unknown = [false], bounded = false>
// CHECK:       %[[G:.*]] = arith.negf %a
// CHECK:       qdelta.affine_decay 0 by %[[G]]
qdelta.recurrence @constant(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) param(%a: f32) {
  %g = arith.negf %a : f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// One token-dependent decay makes the list's decay scalar, one per channel per_channel.
// CHECK-LABEL: func.func @mixed_forward
// CHECK:       facts = #qdelta.facts<decay = per_channel, reads = 1, writes = 1, unknown = [false]
qdelta.recurrence @mixed(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %w: tensor<?xf32>) param(%a: f32) {
  %S1 = qdelta.decay %S by %a : tensor<?x?xf32>, f32
  %S2 = qdelta.decay %S1 by %w : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %S2 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// Several writes: the second one's value uses a read of the first one's state.
// CHECK-LABEL: func.func @twice_forward
// CHECK:       facts = #qdelta.facts<decay = none, reads = 1, writes = 2, unknown = [false, true], bounded = false>
// CHECK:       qdelta.affine_write 0 key %a value (%{{.*}}) * (%v)
// CHECK:       %[[P:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%b)
// CHECK:       qdelta.affine_write 0 key %b value (%{{.*}}, %{{.*}}) * (%v, %[[P]])
qdelta.recurrence @twice(state %S: tensor<?x?xf32>)
    token(%a: tensor<?xf32>, %b: tensor<?xf32>, %v: tensor<?xf32>) {
  %S1 = qdelta.write %S key %a value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %p = qdelta.read %S1 at %b : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %S2 = qdelta.write %S1 key %b value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S2 at %b : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S2 : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// States may use one another's reads linearly; each stage names its state.
// CHECK-LABEL: func.func @coupled_forward
// CHECK:       %[[P:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%k)
// CHECK:       %[[R:.*]] = qdelta.affine_read 1 at (%{{.*}}) * (%k)
// CHECK:       qdelta.affine_write 0 key %k value (%{{.*}}, %{{.*}}) * (%v, %[[R]])
// CHECK:       qdelta.affine_write 1 key %k value (%{{.*}}) * (%[[P]])
qdelta.recurrence @coupled(state %S: tensor<?x?xf32>, %Z: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %r = qdelta.read %Z at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.addf %v, %r : tensor<?xf32>
  %S1 = qdelta.write %S key %k value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Z1 = qdelta.write %Z key %k value %p : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %S1, %Z1 : tensor<?x?xf32>, tensor<?x?xf32> out %d : tensor<?xf32>
}

// -----

// Token-local arithmetic of any kind goes along; what no entry uses does not.
// CHECK-LABEL: func.func @local_forward
// CHECK-NOT:   math.log
// CHECK:       %[[T:.*]] = math.tanh %v
// CHECK-NOT:   math.log
// CHECK:       qdelta.affine_write 0 key %k value (%{{.*}}) * (%[[T]])
qdelta.recurrence @local(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %unused = math.log %k : tensor<?xf32>
  %t = math.tanh %v : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %t : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
