// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-print-facts -o /dev/null | FileCheck %s

// A line a list. Base reads are counted after sharing, once for each place that
// decays per channel set apart; Gram matrices are products of a base with a key.

!mat = tensor<?x?xf32>
!vec = tensor<?xf32>

// k, q and k + q are two bases.
// CHECK: shared_forward list 1: decay = none, reads = 2, writes = 1, unknown = 1, grams = 2, bounded = false
qdelta.recurrence @shared(state %S: !mat) token(%q: !vec, %k: !vec, %v: !vec) {
  %x = arith.addf %k, %q : !vec
  %a = qdelta.read %S at %k : !mat, !vec
  %b = qdelta.read %S at %q : !mat, !vec
  %c = qdelta.read %S at %x : !mat, !vec
  %d = arith.subf %v, %c : !vec
  %Sw = qdelta.write %S key %k value %d : !mat, !vec, !vec
  %o = arith.addf %a, %b : !vec
  qdelta.yield state %Sw : !mat out %o : !vec
}

// A common decay is a factor: what it sets apart is one product with the state.
// CHECK: common_forward list 1: decay = scalar, reads = 1, writes = 1, unknown = 0, grams = 1, bounded = true
qdelta.recurrence @common(state %S: !mat)
    token(%k: !vec, %v: !vec, %g: f32 {qdelta.log_decay}) {
  %a = qdelta.read %S at %k : !mat, !vec
  %Sd = qdelta.decay %S by %g : !mat, f32
  %b = qdelta.read %Sd at %k : !mat, !vec
  %Sw = qdelta.write %Sd key %k value %v : !mat, !vec, !vec
  %o = arith.addf %a, %b : !vec
  qdelta.yield state %Sw : !mat out %o : !vec
}

// Two places with a decay per channel in between are two products.
// CHECK: channels_forward list 1: decay = per_channel, reads = 2, writes = 1, unknown = 0, grams = 2, bounded = true
qdelta.recurrence @channels(state %S: !mat)
    token(%k: !vec, %v: !vec, %g: !vec {qdelta.log_decay}) {
  %a = qdelta.read %S at %k : !mat, !vec
  %Sd = qdelta.decay %S by %g : !mat, !vec
  %b = qdelta.read %Sd at %k : !mat, !vec
  %Sw = qdelta.write %Sd key %k value %v : !mat, !vec, !vec
  %o = arith.addf %a, %b : !vec
  qdelta.yield state %Sw : !mat out %o : !vec
}

// Several writes with one key share a Gram matrix, or are one write if they stand one
// after the other; two lists are two lines.
// CHECK: layers_forward list 1: decay = scalar, reads = 1, writes = 2, unknown = 1, grams = 1, bounded = false
// CHECK: layers_forward list 2: decay = none, reads = 1, writes = 1, unknown = 0, grams = 1, bounded = true
qdelta.recurrence @layers(state %S: !mat, %R: !mat) token(%k: !vec, %v: !vec, %g: f32 {qdelta.log_decay}) {
  %p = qdelta.read %S at %k : !mat, !vec
  %Sa = qdelta.write %S key %k value %v : !mat, !vec, !vec
  %S1 = qdelta.decay %Sa by %g : !mat, f32
  %Sb = qdelta.write %S1 key %k value %p : !mat, !vec, !vec
  %S2 = qdelta.write %Sb key %k value %v : !mat, !vec, !vec
  %t = math.tanh %p : !vec
  %R1 = qdelta.write %R key %k value %t : !mat, !vec, !vec
  %o = qdelta.read %R1 at %k : !mat, !vec
  qdelta.yield state %S2, %R1 : !mat, !mat out %o : !vec
}
