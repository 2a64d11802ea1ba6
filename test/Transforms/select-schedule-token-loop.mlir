// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" | FileCheck %s
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a mode=recurrent" | FileCheck %s --check-prefix=ASKED
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a chunk=1" | FileCheck %s --check-prefix=ASKED
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 mode=chunked" | FileCheck %s --check-prefix=CHUNKED
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 chunk=16" | FileCheck %s --check-prefix=CHUNKED
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=avx512" | FileCheck %s --check-prefix=CPU

// On GPUs up to 16 tokens, known when compiling, run as a loop over tokens, unless
// something else is asked for; others if that is.

// A column's 128 channels are split over 8 threads, which leaves 4 groups of 4
// columns in a warp, and two warps for a line of 128 bytes.
// CHECK-LABEL:   func.func @few
// CHECK:         target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, {{.*}} prefetch = false, kernel = true, split = 8>
// CHUNKED-LABEL: func.func @few
// CHUNKED:       chunk = {{16|32}}, {{.*}} kernel = true
// CPU-LABEL:     func.func @few
// CPU:           chunk = 2, {{.*}} unroll = true
// CHECK-LABEL:   func.func @more
// CHECK:         chunk = 32, {{.*}} operands = "bf16">
// CHECK-LABEL:   func.func @any
// CHECK:         chunk = 32, {{.*}} operands = "bf16">
// ASKED-LABEL:   func.func @any
// ASKED:         target = "sm_90a", chunk = 1, {{.*}} split = 8>
// A warp that is too wide for the state has more threads on each column, but no
// more than there are channels.
// CHECK-LABEL:   func.func @small
// CHECK:         chunk = 1, columns = 64, {{.*}} lanes = 4, {{.*}} split = 2>
// CHECK-LABEL:   func.func @wide
// CHECK:         chunk = 1, columns = 32, {{.*}} split = 16>

qdelta.recurrence @plain(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
func.func @few(%k: tensor<?x16x?x128xbf16>, %v: tensor<?x16x?x128xbf16>, %S: tensor<?x?x128x128xf32>)
    -> (tensor<?x16x?x128xbf16>, tensor<?x?x128x128xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x16x?x128xbf16>, tensor<?x16x?x128xbf16>) init(tensor<?x?x128x128xf32>)
    -> (tensor<?x16x?x128xbf16>) final(tensor<?x?x128x128xf32>)
  return %o, %f : tensor<?x16x?x128xbf16>, tensor<?x?x128x128xf32>
}
func.func @more(%k: tensor<?x17x?x128xbf16>, %v: tensor<?x17x?x128xbf16>, %S: tensor<?x?x128x128xf32>)
    -> (tensor<?x17x?x128xbf16>, tensor<?x?x128x128xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x17x?x128xbf16>, tensor<?x17x?x128xbf16>) init(tensor<?x?x128x128xf32>)
    -> (tensor<?x17x?x128xbf16>) final(tensor<?x?x128x128xf32>)
  return %o, %f : tensor<?x17x?x128xbf16>, tensor<?x?x128x128xf32>
}
func.func @any(%k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>, %S: tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x128x128xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) init(tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xbf16>) final(tensor<?x?x128x128xf32>)
  return %o, %f : tensor<?x?x?x128xbf16>, tensor<?x?x128x128xf32>
}
func.func @small(%k: tensor<?x1x?x2xf32>, %v: tensor<?x1x?x3xf32>, %S: tensor<?x?x2x3xf32>)
    -> (tensor<?x1x?x3xf32>, tensor<?x?x2x3xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x1x?x2xf32>, tensor<?x1x?x3xf32>) init(tensor<?x?x2x3xf32>) -> (tensor<?x1x?x3xf32>) final(tensor<?x?x2x3xf32>)
  return %o, %f : tensor<?x1x?x3xf32>, tensor<?x?x2x3xf32>
}
func.func @wide(%k: tensor<?x4x?x256xf32>, %v: tensor<?x4x?x99xf32>, %S: tensor<?x?x256x99xf32>)
    -> (tensor<?x4x?x99xf32>, tensor<?x?x256x99xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x4x?x256xf32>, tensor<?x4x?x99xf32>) init(tensor<?x?x256x99xf32>)
    -> (tensor<?x4x?x99xf32>) final(tensor<?x?x256x99xf32>)
  return %o, %f : tensor<?x4x?x99xf32>, tensor<?x?x256x99xf32>
}
