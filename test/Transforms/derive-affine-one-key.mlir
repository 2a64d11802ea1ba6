// RUN: qdelta-opt %s -split-input-file -qdelta-derive-affine | FileCheck %s
// RUN: qdelta-opt %s -split-input-file -pass-pipeline='builtin.module(qdelta-to-recurrence{key=5 value=7},qdelta-to-affine,qdelta-check-derivation,qdelta-to-chunked{target=avx512},qdelta-check-derivation)' -o /dev/null

// What erases and what adds, written one after the other at one key, are one write:
// the delta rule, however it is spelled. A scaled key is the same key.
// CHECK-LABEL: func.func @erase_then_add_forward
// CHECK:       facts = #qdelta.facts<decay = none, reads = 2, writes = 1, unknown = [true]
// CHECK:       %[[P:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%k)
// CHECK-NOT:   qdelta.affine_write
// CHECK:       %[[ERASE:.*]] = arith.negf %beta
// CHECK:       qdelta.affine_write 0 key %k value (%[[ERASE]], %beta) * (%[[P]], %v)
// CHECK-NOT:   qdelta.affine_write
// CHECK:       qdelta.affine_end
qdelta.recurrence @erase_then_add(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %beta: f32) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %bp = qdelta.scale %p by %beta : tensor<?xf32>, f32
  %e = arith.negf %bp : tensor<?xf32>
  %S1 = qdelta.write %S key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %bk = qdelta.scale %k by %beta : tensor<?xf32>, f32
  %S2 = qdelta.write %S1 key %bk value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S2 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S2 : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// One vector in both: its coefficients add up.
// CHECK-LABEL: func.func @twice_forward
// CHECK:       %[[SUM:.*]] = arith.addf %a, %b
// CHECK:       qdelta.affine_write 0 key %k value (%[[SUM]]) * (%v)
// CHECK-NOT:   qdelta.affine_write
// CHECK:       qdelta.affine_end
qdelta.recurrence @twice(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %a: f32, %b: f32) {
  %av = qdelta.scale %v by %a : tensor<?xf32>, f32
  %S1 = qdelta.write %S key %k value %av : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %bv = qdelta.scale %v by %b : tensor<?xf32>, f32
  %S2 = qdelta.write %S1 key %k value %bv : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S2 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S2 : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// A read of the state between them sees the first alone.
// CHECK-LABEL: func.func @read_between_forward
// CHECK:       qdelta.affine_write
// CHECK:       qdelta.affine_read
// CHECK:       qdelta.affine_write
// CHECK:       qdelta.affine_end
qdelta.recurrence @read_between(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %w: tensor<?xf32>) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S2 = qdelta.write %S1 key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S2 : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// A decay or a write at another key between them.
// CHECK-LABEL: func.func @stages_between_forward
// CHECK:       qdelta.affine_write 0 key %k
// CHECK:       qdelta.affine_decay
// CHECK:       qdelta.affine_write 0 key %k
// CHECK:       qdelta.affine_write 0 key %q
// CHECK:       qdelta.affine_write 0 key %k
// CHECK:       qdelta.affine_end
qdelta.recurrence @stages_between(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32 {qdelta.log_decay}) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S2 = qdelta.decay %S1 by %g : tensor<?x?xf32>, f32
  %S3 = qdelta.write %S2 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S4 = qdelta.write %S3 key %q value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S5 = qdelta.write %S4 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S5 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S5 : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// Another state's stages do not matter, a mix of either state with the other does.
// CHECK-LABEL: func.func @states_forward
// CHECK:       qdelta.affine_write 1 key %k
// CHECK-NEXT:  qdelta.affine_mix 0 with 1
// CHECK:       qdelta.affine_write 1 key %k value ({{.*}}) * (%w)
// CHECK:       qdelta.affine_write 0 key %k value ({{.*}}) * (%v, %w)
// CHECK-NOT:   qdelta.affine_write
// CHECK:       qdelta.affine_end
qdelta.recurrence @states(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %w: tensor<?xf32>, %c: f32) {
  %M1 = qdelta.write %M key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S1 = qdelta.mix %S with %M1 by %c : tensor<?x?xf32>, f32
  %S2 = qdelta.write %S1 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %M2 = qdelta.write %M1 key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %S3 = qdelta.write %S2 key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S3 at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S3, %M2 : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}
