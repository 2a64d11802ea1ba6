// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=avx512" | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=avx2" | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=avx512 mode=recurrent" | FileCheck %s --check-prefix=RECURRENT
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=avx512 chunk=16" | FileCheck %s --check-prefix=MATRIX
// RUN: qdelta-opt %s -qdelta-specialize="dtype=f64" -qdelta-derive-affine -qdelta-select-schedule="target=avx512" | FileCheck %s --check-prefix=F64
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule | FileCheck %s --check-prefix=HOST

// Chunks of two tokens expand into rows; the decay of a list that has one is
// deferred; a block of columns never exceeds V.

// CHECK-LABEL:  func.func @wide
// AVX512:       schedule = #qdelta.schedule<target = "avx512", chunk = 2, columns = 32, span = {{[0-9]+}}, lanes = 16, unroll = true, fuse = true, defer = true, prefetch = true>
// AVX2:         schedule = #qdelta.schedule<target = "avx2", chunk = 2, columns = 16, span = {{[0-9]+}}, lanes = 8, unroll = true, fuse = true, defer = true, prefetch = true>
// RECURRENT-LABEL: func.func @wide
// RECURRENT:    schedule = #qdelta.schedule<target = "avx512", chunk = 1, columns = 32, span = {{[0-9]+}}, lanes = 16, unroll = true
// MATRIX-LABEL: func.func @wide
// MATRIX:       schedule = #qdelta.schedule<target = "avx512", chunk = 16, columns = 64, span = 1, lanes = 16, unroll = false, fuse = false, defer = false, prefetch = false>
// A register holds half as many f64.
// F64-LABEL:    func.func @wide
// F64:          schedule = #qdelta.schedule<target = "avx512", chunk = 2, columns = 16, span = {{[0-9]+}}, lanes = 8, unroll = true
// HOST:         schedule = #qdelta.schedule<target = "{{avx2|avx512|avx512bf16}}",
// CHECK-LABEL:  func.func @narrow
// CHECK:        columns = 3, {{.*}} defer = false, prefetch = true>
// One pass over two states keeps the rows of both in half of the cache, and all it
// sums up in registers: rows become narrow before chunks become short.
// CHECK-LABEL:  func.func @coupled_forward
// AVX512:       chunk = 2, columns = 16, {{.*}} fuse = true, defer = true, prefetch = true>
// AVX2:         chunk = 2, columns = 8, {{.*}} fuse = true, defer = true, prefetch = true>
// MATRIX-LABEL: func.func @coupled_forward
// MATRIX:       chunk = 16, columns = 64, {{.*}} unroll = false, fuse = false, defer = false, prefetch = false>

qdelta.recurrence @gated(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
qdelta.recurrence @plain(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
func.func @wide(%k: tensor<?x?x?x128xf32>, %v: tensor<?x?x?x128xf32>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xf32>, tensor<?x?x128x128xf32>) {
  %o, %f = qdelta.scan @gated(%k, %v, %g) init(%S)
    : (tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>, tensor<?x?x?xf32>) init(tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xf32>) final(tensor<?x?x128x128xf32>)
  return %o, %f : tensor<?x?x?x128xf32>, tensor<?x?x128x128xf32>
}
func.func @narrow(%k: tensor<?x?x?x5xf32>, %v: tensor<?x?x?x3xf32>, %S: tensor<?x?x5x3xf32>)
    -> (tensor<?x?x?x3xf32>, tensor<?x?x5x3xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x?x?x5xf32>, tensor<?x?x?x3xf32>) init(tensor<?x?x5x3xf32>) -> (tensor<?x?x?x3xf32>) final(tensor<?x?x5x3xf32>)
  return %o, %f : tensor<?x?x?x3xf32>, tensor<?x?x5x3xf32>
}
qdelta.recurrence @coupled(state %S: tensor<128x128xf32>, %M: tensor<128x128xf32>)
    token(%q: tensor<128xf32>, %k: tensor<128xf32>, %v: tensor<128xf32>, %g: f32) {
  %p = qdelta.read %S at %k : tensor<128x128xf32>, tensor<128xf32>
  %d = arith.subf %v, %p : tensor<128xf32>
  %Md = qdelta.decay %M by %g : tensor<128x128xf32>, f32
  %Mw = qdelta.write %Md key %k value %d : tensor<128x128xf32>, tensor<128xf32>, tensor<128xf32>
  %Sm = qdelta.mix %S with %Mw by %g : tensor<128x128xf32>, f32
  %y = qdelta.read %Sm at %q : tensor<128x128xf32>, tensor<128xf32>
  qdelta.yield state %Sm, %Mw : tensor<128x128xf32>, tensor<128x128xf32> out %y : tensor<128xf32>
}
