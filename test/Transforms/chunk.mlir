// RUN: qdelta-opt %s -qdelta-chunk -split-input-file | FileCheck %s

// Two tokens a chunk, two chunks a span, the state in blocks of four of its six
// columns, update and next reads in one pass.

// CHECK-LABEL: func.func @fused
// CHECK-SAME:  qdelta.schedule = #qdelta.schedule<{{.*}}chunk = 2
// CHECK:       scf.forall (%[[B:.*]], %[[H:.*]]) in
// Value head h reads head h / (HV / H) of a sequence.
// CHECK:         %[[RATIO:.*]] = arith.divui
// CHECK:         arith.divui %[[H]], %[[RATIO]]
// The first chunk's reads, before the loop over chunks; one for each base.
// CHECK:         qdelta.chunk_read
// CHECK-SAME:      tensor<2x5xf32>
// Token-local parts of a span: products of tokens with tokens, decays between
// places of the list, masked past the last token.
// CHECK:         qdelta.chunk_valid %{{.*}} of %{{.*}} : tensor<2xi1>
// CHECK:         qdelta.chunk_decay(%{{.*}}) : (tensor<2xf32>) -> f64
// CHECK:         qdelta.chunk_gram %{{.*}} : tensor<2x5xf32>, tensor<2x5xf32> -> tensor<2x2xf32>
// One system for the unknown writes, one pass over the state.
// CHECK:         %[[E:.*]] = qdelta.chunk_solve
// CHECK:         qdelta.chunk_apply %{{.*}}, %[[E]] onto %{{.*}} inclusive
// CHECK:         qdelta.store_tile
// CHECK:         qdelta.chunk_update %{{.*}} keys(%{{[^,)]*}}) values(%{{[^,)]*}}) reads(%{{[^,)]*}})
// CHECK-NOT:   qdelta.affine_scan

#fused = #qdelta.schedule<target = "avx2", chunk = 2, columns = 4, span = 2, lanes = 4, unroll = true, fuse = true, defer = false, prefetch = false>
!key = tensor<?x?x?x5xf32>
!value = tensor<?x?x?x6xf32>
!gate = tensor<?x?x?xf32>
!state = tensor<?x?x5x6xf32>
func.func @fused(%k: !key, %v: !value, %g: !gate, %S: !state) -> (!value, !state) {
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], schedule = #fused,
      facts = #qdelta.facts<decay = scalar, reads = 1, writes = 1, unknown = [true], bounded = false>}
    : (!key, !value, !gate) init(!state) -> (!value) final(!state) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %one : f32
    qdelta.affine_decay 0 by %tg : f32
    %p = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_write"(%tk, %one, %m, %tv, %p) <{state = 0, operandSegmentSizes = array<i32: 1, 2, 2>}>
      : (tensor<?xf32>, f32, f32, tensor<?xf32>, !qdelta.readout) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !value, !state
}

// -----

// A list whose writes are known needs no system; without `fuse` a chunk reads
// the state itself.

// CHECK-LABEL: func.func @known
// CHECK:       scf.forall
// CHECK:         qdelta.chunk_gram %{{.*}} : tensor<16x5xf32>, tensor<16x5xf32> -> tensor<16x16xf32>
// CHECK-NOT:     qdelta.chunk_solve
// CHECK:         qdelta.chunk_read %{{.*}} : tensor<16x5xf32>, tensor<5x6xf32> -> tensor<16x6xf32>
// CHECK-NOT:     qdelta.chunk_solve
// CHECK:         qdelta.chunk_apply
// CHECK:         qdelta.chunk_update %{{.*}} reads()

#apart = #qdelta.schedule<target = "avx2", chunk = 16, columns = 6, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false>
!key = tensor<?x?x?x5xf32>
!value = tensor<?x?x?x6xf32>
!state = tensor<?x?x5x6xf32>
func.func @known(%k: !key, %v: !value, %S: !state) -> (!value, !state) {
  %o, %f = qdelta.affine_scan(%k, %v) init(%S)
    attributes {arg_names = ["k", "v"], schedule = #apart,
      facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = true>}
    : (!key, !value) init(!state) -> (!value) final(!state) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_write"(%tk, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !value, !state
}

// -----

// A decay per key channel is part of the key vectors, and of the Gram matrix. A
// common one stays in the coefficients. Both are deferred.

// CHECK-LABEL: func.func @per_channel
// CHECK:       %[[ONES:.*]] = arith.constant dense<1.000000e+00> : tensor<1x5xf64>
// CHECK:       scf.for
// CHECK:         scf.for {{.*}} -> (f64, tensor<1x5xf64>
// CHECK:           qdelta.mask_rows
// CHECK:           qdelta.chunk_decay(%{{.*}}) : (tensor<2xf32>) -> f64
// CHECK:           qdelta.chunk_decay(%{{.*}}) : (tensor<2x5xf32>) -> tensor<1x5xf64>
// CHECK:           %[[RENEW:.*]] = qdelta.any_outside
// CHECK:           arith.select %[[RENEW]]
// CHECK:           qdelta.chunk_decay(%{{.*}}) to 1 : (tensor<2x5xf32>) -> tensor<2x5xf32>
// CHECK:           qdelta.scale_channels
// CHECK:           qdelta.chunk_decay(%{{.*}}) from 1 : (tensor<2x5xf32>) -> tensor<2x5xf32>
// CHECK:           qdelta.chunk_gram %{{.*}} decays(%{{.*}}) from 1 to 1 inclusive
// CHECK:           qdelta.chunk_decay(%{{.*}}) from 1 to 1 inclusive : (tensor<2xf32>) -> tensor<2x2xf32>
// CHECK:         qdelta.chunk_update %{{.*}} decay %{{.*}} channels %{{.*}} when

#deferred = #qdelta.schedule<target = "avx2", chunk = 2, columns = 4, span = 2, lanes = 4, unroll = true, fuse = true, defer = true, prefetch = false>
!key = tensor<?x?x?x5xf32>
!value = tensor<?x?x?x6xf32>
!gate = tensor<?x?x?xf32>
!state = tensor<?x?x5x6xf32>
func.func @per_channel(%k: !key, %v: !value, %g: !key, %h: !gate, %S: !state) -> (!value, !state) {
  %o, %f = qdelta.affine_scan(%k, %v, %g, %h) init(%S)
    attributes {arg_names = ["k", "v", "g", "h"], schedule = #deferred,
      facts = #qdelta.facts<decay = per_channel, reads = 1, writes = 1, unknown = [false], bounded = true>}
    : (!key, !value, !key, !gate) init(!state) -> (!value) final(!state) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: tensor<?xf32>, %th: f32):
    %one = arith.constant 1.0 : f32
    qdelta.affine_decay 0 by %th : f32
    qdelta.affine_decay 0 by %tg : tensor<?xf32>
    "qdelta.affine_write"(%tk, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !value, !state
}

// -----

// Two states, the second added to the first after its write. A read of the first
// sees the second at the chunk's start too, through a transfer; what is left of a
// write is in both at the end. The first is updated before the second, which it takes
// as it was. One Gram matrix serves all pairs of states; the second state's own part
// is a decay.

// CHECK-LABEL: func.func @mixed
// CHECK:       scf.forall
// CHECK:         qdelta.chunk_transfer 1 into 0 through(%[[G:.*]], %[[C:.*]]) targets [1, 0] sources [1, 1] from 1 : {{.*}} -> tensor<2xf32>
// CHECK:         qdelta.chunk_decay(%{{[^,)]*}}) from 1 : (tensor<2xf32>) -> tensor<2xf32>
// CHECK:         qdelta.chunk_transfer 1 into 0 through(%[[G]], %[[C]]) targets [1, 0] sources [1, 1] : {{.*}} -> f32
// CHECK:         qdelta.chunk_transfer 1 into 0 through(%[[G]], %[[C]]) targets [1, 0] sources [1, 1] to 0 : {{.*}} -> tensor<2xf32>
// CHECK:         qdelta.chunk_gram
// CHECK-NOT:     qdelta.chunk_gram
// CHECK:         qdelta.chunk_transfer 1 into 0 through(%[[G]], %[[C]]) targets [1, 0] sources [1, 1] from 1 to 0 : {{.*}} -> tensor<2x2xf32>
// CHECK:         qdelta.chunk_solve
// CHECK:         qdelta.chunk_update %{{[^ ]*}} decay %{{[^ ]*}} with(%[[M:[^,)]*]]) by(%{{[^,)]*}}) keys(%{{[^,)]*}}) values(%{{[^,)]*}}) reads(%{{[^,)]*}})
// CHECK:         qdelta.chunk_update %[[M]] decay %{{[^ ]*}} keys(%{{[^,)]*}}) values(%{{[^,)]*}}) reads(%{{[^,)]*}})

#mixed = #qdelta.schedule<target = "avx2", chunk = 2, columns = 6, span = 2, lanes = 4, unroll = false, fuse = true, defer = false, prefetch = false>
!key = tensor<?x?x?x5xf32>
!value = tensor<?x?x?x6xf32>
!gate = tensor<?x?x?xf32>
!state = tensor<?x?x5x6xf32>
func.func @mixed(%k: !key, %v: !value, %g: !gate, %c: !gate, %S: !state, %M: !state) -> (!value, !state, !state) {
  %o, %f:2 = qdelta.affine_scan(%k, %v, %g, %c) init(%S, %M)
    attributes {arg_names = ["k", "v", "g", "c"], schedule = #mixed,
      facts = #qdelta.facts<decay = scalar, reads = 1, writes = 1, unknown = [true], bounded = false>}
    : (!key, !value, !gate, !gate) init(!state, !state) -> (!value) final(!state, !state) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32, %tc: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %one : f32
    %p = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_decay 1 by %tg : f32
    qdelta.affine_write 1 key %tk value (%one, %m) * (%tv, %p) : tensor<?xf32>, (f32, f32) * (tensor<?xf32>, !qdelta.readout)
    qdelta.affine_mix 0 with 1 by %tc : f32
    qdelta.affine_output(%one) * (%p) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o, %f#0, %f#1 : !value, !state, !state
}

// The same as rows: one pass takes the tokens one by one. The state that is mixed in
// decays, is written, and then is added; what only the output needs is read after
// that. The next chunk's first token reads one state, its second one both. Running
// decays are f64 numbers of each state; that of the first one is always 1.

// CHECK-LABEL: func.func @by_tokens
// CHECK:       scf.for {{.*}} iter_args({{.*}}) -> (tensor<{{.*}}>, f64
// CHECK:         %[[AFTER:.*]] = arith.mulf %{{.*}}, %{{.*}} : f64
// CHECK:         arith.cmpf ult, %[[AFTER]]
// CHECK:         arith.cmpf ugt, %[[AFTER]]
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[AFTER]] : f64
// CHECK:         qdelta.chunk_solve
// CHECK:         %[[M1:.*]] = qdelta.chunk_update %[[M0:[^ ]*]] decay %{{[^ ]*}} keys() values() reads()
// CHECK-NEXT:    %[[M2:.*]] = qdelta.chunk_update %[[M1]] decay %[[ONE:[^ ]*]] keys(%{{[^,)]*}}) values(%{{[^,)]*}}) reads()
// CHECK-NEXT:    %[[S1:.*]] = qdelta.chunk_update %[[S0:[^ ]*]] decay %[[ONE]] with(%[[M2]]) by(%{{[^,)]*}}) keys() values() reads()
// CHECK-NEXT:    %[[S2:.*]], %[[O0:.*]] = qdelta.chunk_update %[[S1]] decay %[[ONE]] keys() values() reads(%{{[^,)]*}})
// CHECK-NEXT:    %[[M3:.*]] = qdelta.chunk_update %[[M2]] decay
// CHECK-NEXT:    %[[M4:.*]] = qdelta.chunk_update %[[M3]] decay %[[ONE]] keys(%{{[^,)]*}})
// CHECK-NEXT:    %[[S3:.*]] = qdelta.chunk_update %[[S2]] decay %[[ONE]] with(%[[M4]])
// CHECK-NEXT:    %[[S4:.*]], %[[O1:.*]] = qdelta.chunk_update %[[S3]] decay %[[ONE]] {{.*}} reads(%{{[^,)]*}})
// CHECK-NEXT:    %[[S5:.*]], %{{.*}} = qdelta.chunk_update %[[S4]] {{.*}} reads(%{{[^,)]*}})
// CHECK-NEXT:    %{{.*}}, %{{.*}} = qdelta.chunk_update %[[S5]] {{.*}} reads(%{{[^,)]*}})
// CHECK-NEXT:    %{{.*}}, %{{.*}} = qdelta.chunk_update %[[M4]] {{.*}} reads(%{{[^,)]*}})
// CHECK-NOT:     qdelta.chunk_update
// CHECK:         qdelta.store_tile

#by_tokens = #qdelta.schedule<target = "avx2", chunk = 2, columns = 6, span = 2, lanes = 4, unroll = true, fuse = true, defer = true, prefetch = false>
func.func @by_tokens(%k: !key, %q: !key, %v: !value, %g: !gate, %c: !gate, %S: !state, %M: !state) -> (!value, !state, !state) {
  %o, %f:2 = qdelta.affine_scan(%k, %q, %v, %g, %c) init(%S, %M)
    attributes {arg_names = ["k", "q", "v", "g", "c"], schedule = #by_tokens,
      facts = #qdelta.facts<decay = scalar, reads = 2, writes = 1, unknown = [true], bounded = false>}
    : (!key, !key, !value, !gate, !gate) init(!state, !state) -> (!value) final(!state, !state) {
  ^bb0(%tk: tensor<?xf32>, %tq: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32, %tc: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %one : f32
    %p = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_decay 1 by %tg : f32
    qdelta.affine_write 1 key %tk value (%one, %m) * (%tv, %p) : tensor<?xf32>, (f32, f32) * (tensor<?xf32>, !qdelta.readout)
    qdelta.affine_mix 0 with 1 by %tc : f32
    %r = qdelta.affine_read 0 at (%one) * (%tq) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%one) * (%r) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o, %f#0, %f#1 : !value, !state, !state
}
