// RUN: qdelta-opt %s | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -mlir-print-op-generic | qdelta-opt | FileCheck %s

// RUN: qdelta-opt %s -mlir-print-op-generic > %t
// RUN: qdelta-opt %s | qdelta-opt -mlir-print-op-generic | diff - %t

// Every op of the dialect through its custom and its generic form.

// CHECK-LABEL: qdelta.recurrence @all
// CHECK-SAME:  (state %S: tensor<?x?xf32>, %Z: tensor<4x8xf32>)
// CHECK-SAME:  token(%k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>, %g: f32 {qdelta.log_decay},
// CHECK-SAME:    %beta: f32 {qdelta.range = [0.000000e+00, 1.000000e+00]})
// CHECK-SAME:  param(%w: tensor<4xf32>, %scale: f32)
// CHECK-SAME:  attributes {note = "kept"}
qdelta.recurrence @all(state %S: tensor<?x?xf32>, %Z: tensor<4x8xf32>)
    token(%k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>, %g: f32 {qdelta.log_decay},
          %beta: f32 {qdelta.range = [0.0, 1.0]})
    param(%w: tensor<4xf32>, %scale: f32) attributes {note = "kept"} {
  // CHECK-NEXT: %[[D:.*]] = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %0 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  // CHECK-NEXT: %[[DZ:.*]] = qdelta.decay %Z by %w : tensor<4x8xf32>, tensor<4xf32>
  %1 = qdelta.decay %Z by %w : tensor<4x8xf32>, tensor<4xf32>
  // CHECK-NEXT: %[[P:.*]] = qdelta.read %[[D]] at %k : tensor<?x?xf32>, tensor<?xf32>
  %2 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  // CHECK-NEXT: %[[R:.*]] = qdelta.read %[[DZ]] at %w : tensor<4x8xf32>, tensor<4xf32>
  %3 = qdelta.read %1 at %w : tensor<4x8xf32>, tensor<4xf32>
  // CHECK-NEXT: %[[E:.*]] = qdelta.scale %v by %beta : tensor<?xf32>, f32
  %4 = qdelta.scale %v by %beta : tensor<?xf32>, f32
  // CHECK-NEXT: %[[W:.*]] = qdelta.write %[[D]] key %k value %[[E]] : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %5 = qdelta.write %0 key %k value %4 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  // CHECK-NEXT: qdelta.yield state %[[W]], %[[DZ]] : tensor<?x?xf32>, tensor<4x8xf32> out %[[P]], %[[R]] : tensor<?xf32>, tensor<8xf32>
  qdelta.yield state %5, %1 : tensor<?x?xf32>, tensor<4x8xf32> out %2, %3 : tensor<?xf32>, tensor<8xf32>
}

// CHECK-LABEL: qdelta.recurrence @mixed
qdelta.recurrence @mixed(state %S: tensor<4x8xf32>, %M: tensor<4x8xf32>) token(%k: tensor<4xf32>, %c: f32) {
  // CHECK-NEXT: %[[S:.*]] = qdelta.mix %S with %M by %c : tensor<4x8xf32>, f32
  %0 = qdelta.mix %S with %M by %c : tensor<4x8xf32>, f32
  // CHECK-NEXT: qdelta.read %[[S]] at %k
  %1 = qdelta.read %0 at %k : tensor<4x8xf32>, tensor<4xf32>
  qdelta.yield state %0, %M : tensor<4x8xf32>, tensor<4x8xf32> out %1 : tensor<8xf32>
}

// Without parameters the keyword is absent; f64 is the other element type.
// CHECK-LABEL: qdelta.recurrence @bare(state %S: tensor<?x?xf64>) token(%k: tensor<?xf64>, %v: tensor<?xf64>) {
qdelta.recurrence @bare(state %S: tensor<?x?xf64>) token(%k: tensor<?xf64>, %v: tensor<?xf64>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>
  %1 = qdelta.read %0 at %k : tensor<?x?xf64>, tensor<?xf64>
  qdelta.yield state %0 : tensor<?x?xf64> out %1 : tensor<?xf64>
}

!seq = tensor<?x?x?x?xf32>

// CHECK-LABEL: func.func @scan
func.func @scan(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>,
    %w: tensor<4x4xf32>, %s: tensor<4xf32>, %S: tensor<2x4x4x8xf32>) -> tensor<2x?x4x8xf32> {
  // CHECK: qdelta.scan @all(%{{[^],) ]*}}, %{{[^],) ]*}}, %{{[^],) ]*}}, %{{[^],) ]*}}) param(%{{[^],) ]*}}, %{{[^],) ]*}}) init(%{{[^],) ]*}}, %{{[^],) ]*}})
  // CHECK-SAME: (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>) param(tensor<4x4xf32>, tensor<4xf32>)
  // CHECK-SAME: init(tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>)
  %o:2, %f:2 = qdelta.scan @all(%k, %v, %g, %g) param(%w, %s) init(%S, %S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>)
      param(tensor<4x4xf32>, tensor<4xf32>) init(tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>)
    -> (tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>)
  return %o#0 : tensor<2x?x4x8xf32>
}

// CHECK-LABEL: func.func @affine
func.func @affine(%k: !seq, %v: !seq, %g: tensor<?x?x?xf32>, %S: !seq) -> (!seq, !seq) {
  // CHECK: qdelta.affine_scan(%{{[^],) ]*}}, %{{[^],) ]*}}, %{{[^],) ]*}}) init(%{{[^],) ]*}}) attributes {
  // CHECK-SAME: facts = #qdelta.facts<decay = per_channel, reads = 1, writes = 1, unknown = [true], bounded = false>
  // CHECK-SAME: schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 16, span = 32, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = false>
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"],
      facts = #qdelta.facts<decay = per_channel, reads = 1, writes = 1, unknown = [true], bounded = false>,
      schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 16, span = 32, lanes = 8,
        unroll = true, fuse = true, defer = true, prefetch = false>}
    : (!seq, !seq, tensor<?x?x?xf32>) init(!seq) -> (!seq) final(!seq) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    // CHECK-NEXT: ^bb0(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32):
    // CHECK-NEXT: qdelta.affine_decay 0 by %g : f32
    qdelta.affine_decay 0 by %tg : f32
    // CHECK-NEXT: qdelta.affine_decay 0 by %k : tensor<?xf32>
    qdelta.affine_decay 0 by %tk : tensor<?xf32>
    // CHECK-NEXT: %[[Y:.*]] = qdelta.affine_read 0 at (%g, %g) * (%k, %k) :
    %y = qdelta.affine_read 0 at (%tg, %tg) * (%tk, %tk) : (f32, f32) * (tensor<?xf32>, tensor<?xf32>)
    // CHECK-NEXT: qdelta.affine_write 0 key %k value (%g, %g) * (%v, %[[Y]]) :
    qdelta.affine_write 0 key %tk value (%tg, %tg) * (%tv, %y) : tensor<?xf32>, (f32, f32) * (tensor<?xf32>, !qdelta.readout)
    // CHECK-NEXT: qdelta.affine_output(%g) * (%[[Y]]) :
    qdelta.affine_output(%tg) * (%y) : (f32) * (!qdelta.readout)
    // CHECK-NEXT: qdelta.affine_end
    qdelta.affine_end
  }
  return %o, %f : !seq, !seq
}

// CHECK-LABEL: func.func @chunk
func.func @chunk(%K: !seq, %P: tensor<?x8xf32>, %S: tensor<4x8xf32>, %g: tensor<2xf32>, %i: index, %d: f32) {
  // CHECK: %[[X:.*]] = qdelta.load_tile %{{[^],) ]*}}[%{{[^],) ]*}}, %{{[^],) ]*}}, %{{[^],) ]*}}] : tensor<?x?x?x?xf32> -> tensor<2x4xf32>
  %x = qdelta.load_tile %K[%i, %i, %i] : !seq -> tensor<2x4xf32>
  // CHECK-NEXT: %[[V:.*]] = qdelta.load_tile %{{[^],) ]*}}[%{{[^],) ]*}}] columns %{{[^],) ]*}} : tensor<?x8xf32> -> tensor<2x8xf32>
  %v = qdelta.load_tile %P[%i] columns %i : tensor<?x8xf32> -> tensor<2x8xf32>
  // CHECK-NEXT: qdelta.store_tile %[[V]] into %{{[^],) ]*}}[%{{[^],) ]*}}, %{{[^],) ]*}}, %{{[^],) ]*}}] columns %{{[^],) ]*}} : tensor<2x8xf32>, tensor<?x?x?x?xf32>
  %K1 = qdelta.store_tile %v into %K[%i, %i, %i] columns %i : tensor<2x8xf32>, !seq
  // CHECK-NEXT: qdelta.prefetch %{{[^],) ]*}}[%{{[^],) ]*}}, %{{[^],) ]*}}, %{{[^],) ]*}}] columns %{{[^],) ]*}} by 16 rows 2 : tensor<?x?x?x?xf32>
  qdelta.prefetch %K[%i, %i, %i] columns %i by 16 rows 2 : !seq
  // CHECK-NEXT: qdelta.prefetch %{{[^],) ]*}}[%{{[^],) ]*}}, %{{[^],) ]*}}, %{{[^],) ]*}}] columns %{{[^],) ]*}} by 8 rows 1 for_write : tensor<?x?x?x?xf32>
  qdelta.prefetch %K[%i, %i, %i] columns %i by 8 rows 1 for_write : !seq
  // CHECK-NEXT: qdelta.chunk_valid %{{[^],) ]*}} of %{{[^],) ]*}} : tensor<2xi1>
  %valid = qdelta.chunk_valid %i of %i : tensor<2xi1>
  // CHECK-NEXT: qdelta.chunk_decay(%{{[^],) ]*}}) : (tensor<2xf32>) -> f32
  %d0 = qdelta.chunk_decay(%g) : (tensor<2xf32>) -> f32
  // CHECK-NEXT: qdelta.chunk_decay(%{{[^],) ]*}}, %{{[^],) ]*}}) from 1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d1 = qdelta.chunk_decay(%g, %g) from 1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // CHECK-NEXT: qdelta.chunk_decay(%{{[^],) ]*}}) to 0 : (tensor<2xf32>) -> tensor<2xf32>
  %d2 = qdelta.chunk_decay(%g) to 0 : (tensor<2xf32>) -> tensor<2xf32>
  // CHECK-NEXT: %[[L:.*]] = qdelta.chunk_decay(%{{[^],) ]*}}) from 0 to 1 inclusive : (tensor<2xf32>) -> tensor<2x2xf32>
  %l = qdelta.chunk_decay(%g) from 0 to 1 inclusive : (tensor<2xf32>) -> tensor<2x2xf32>
  // CHECK-NEXT: qdelta.chunk_gram %[[X]], %[[X]] : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x2xf32>
  %gram = qdelta.chunk_gram %x, %x : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x2xf32>
  // CHECK-NEXT: qdelta.scale %[[X]] by %{{[^],) ]*}} : tensor<2x4xf32>, tensor<2xf32>
  %sc = qdelta.scale %x by %g : tensor<2x4xf32>, tensor<2xf32>
  // CHECK-NEXT: %[[G:.*]] = qdelta.mask_rows %[[X]] by %{{[^],) ]*}} : tensor<2x4xf32>, tensor<2xi1>
  %gk = qdelta.mask_rows %x by %valid : tensor<2x4xf32>, tensor<2xi1>
  // CHECK-NEXT: %[[D:.*]] = qdelta.chunk_decay(%[[G]]) to 1 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %dk = qdelta.chunk_decay(%gk) to 1 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  // CHECK-NEXT: %[[W:.*]] = qdelta.chunk_decay(%[[G]]) : (tensor<2x4xf32>) -> tensor<1x4xf32>
  %wk = qdelta.chunk_decay(%gk) : (tensor<2x4xf32>) -> tensor<1x4xf32>
  // CHECK-NEXT: qdelta.scale_channels %[[D]] by %[[W]] : tensor<2x4xf32>, tensor<1x4xf32>
  %sk = qdelta.scale_channels %dk by %wk : tensor<2x4xf32>, tensor<1x4xf32>
  // CHECK-NEXT: %[[OUT:.*]] = qdelta.any_outside %[[W]] low 5.000000e-01 high 2.000000e+00 : tensor<1x4xf32>
  %out = qdelta.any_outside %wk low 0.5 high 2.0 : tensor<1x4xf32>
  // CHECK-NEXT: qdelta.chunk_gram %[[X]], %[[X]] decays(%[[G]]) from 0 to 1 inclusive : tensor<2x4xf32>, tensor<2x4xf32> decays(tensor<2x4xf32>) -> tensor<2x2xf32>
  %gramk = qdelta.chunk_gram %x, %x decays(%gk) from 0 to 1 inclusive : tensor<2x4xf32>, tensor<2x4xf32> decays(tensor<2x4xf32>) -> tensor<2x2xf32>
  // CHECK-NEXT: %[[R:.*]] = qdelta.chunk_read %[[X]], %{{[^],) ]*}} : tensor<2x4xf32>, tensor<4x8xf32> -> tensor<2x8xf32>
  %r = qdelta.chunk_read %x, %S : tensor<2x4xf32>, tensor<4x8xf32> -> tensor<2x8xf32>
  // CHECK-NEXT: %[[E:.*]]:2 = qdelta.chunk_solve blocks(%[[L]], %[[L]], %[[L]], %[[L]]) rhs(%[[R]], %[[V]])
  %e:2 = qdelta.chunk_solve blocks(%l, %l, %l, %l) rhs(%r, %v)
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>), (tensor<2x8xf32>, tensor<2x8xf32>)
    -> tensor<2x8xf32>, tensor<2x8xf32>
  // CHECK-NEXT: qdelta.chunk_inverse blocks(%[[L]], %[[L]], %[[L]], %[[L]]) : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
  %t:4 = qdelta.chunk_inverse blocks(%l, %l, %l, %l)
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>)
    -> tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
  // CHECK-NEXT: qdelta.chunk_apply %[[L]], %[[E]]#0 onto %[[R]] : tensor<2x2xf32>, tensor<2x8xf32>
  %a = qdelta.chunk_apply %l, %e#0 onto %r : tensor<2x2xf32>, tensor<2x8xf32>
  // CHECK-NEXT: qdelta.chunk_apply %[[L]], %[[E]]#1 onto %[[R]] inclusive : tensor<2x2xf32>, tensor<2x8xf32>
  %b = qdelta.chunk_apply %l, %e#1 onto %r inclusive : tensor<2x2xf32>, tensor<2x8xf32>
  // CHECK-NEXT: qdelta.chunk_update %{{[^],) ]*}} decay %{{[^],) ]*}} keys(%[[X]]) values(%[[E]]#0) reads(%[[X]])
  // CHECK-SAME: tensor<4x8xf32>, f32 keys(tensor<2x4xf32>) values(tensor<2x8xf32>) reads(tensor<2x4xf32>) -> tensor<4x8xf32>, (tensor<2x8xf32>)
  %S1, %next = qdelta.chunk_update %S decay %d keys(%x) values(%e#0) reads(%x)
    : tensor<4x8xf32>, f32 keys(tensor<2x4xf32>) values(tensor<2x8xf32>) reads(tensor<2x4xf32>) -> tensor<4x8xf32>, (tensor<2x8xf32>)
  // CHECK-NEXT: qdelta.chunk_update %{{[^],) ]*}} decay %{{[^],) ]*}} channels %[[W]] when %[[OUT]] keys(%[[X]]) values(%[[E]]#0) reads() : tensor<4x8xf32>, f32 channels tensor<1x4xf32> keys(tensor<2x4xf32>) values(tensor<2x8xf32>) -> tensor<4x8xf32>
  %S2 = qdelta.chunk_update %S decay %d channels %wk when %out keys(%x) values(%e#0) reads()
    : tensor<4x8xf32>, f32 channels tensor<1x4xf32> keys(tensor<2x4xf32>) values(tensor<2x8xf32>) -> tensor<4x8xf32>
  // CHECK-NEXT: %[[T:.*]] = qdelta.chunk_transfer 1 into 0 through(%{{[^],) ]*}}, %{{[^],) ]*}}) targets [1, 0] sources [1, 1] from 0 to 2 inclusive : (tensor<2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %t0 = qdelta.chunk_transfer 1 into 0 through (%g, %g) targets [1, 0] sources [1, 1] from 0 to 2 inclusive
    : (tensor<2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  // CHECK-NEXT: %[[F:.*]] = qdelta.chunk_transfer 1 into 0 through(%{{[^],) ]*}}) targets [0] sources [1] : (tensor<2xf32>) -> f32
  %t1 = qdelta.chunk_transfer 1 into 0 through (%g) targets [0] sources [1] : (tensor<2xf32>) -> f32
  // CHECK-NEXT: qdelta.chunk_update %{{[^],) ]*}} decay %{{[^],) ]*}} with(%{{[^],) ]*}}) by(%[[F]]) keys() values() reads() : tensor<4x8xf32>, f32 with(tensor<4x8xf32>) by(f32) -> tensor<4x8xf32>
  %S3 = qdelta.chunk_update %S decay %d with(%S2) by(%t1) keys() values() reads()
    : tensor<4x8xf32>, f32 with(tensor<4x8xf32>) by(f32) -> tensor<4x8xf32>
  // CHECK-NEXT: qdelta.triangular_solve %[[L]], %[[R]] : tensor<2x2xf32>, tensor<2x8xf32>
  %z = qdelta.triangular_solve %l, %r : tensor<2x2xf32>, tensor<2x8xf32>
  return
}
