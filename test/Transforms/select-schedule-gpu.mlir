// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" | FileCheck %s --check-prefixes=CHECK,WARP
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a" | FileCheck %s --check-prefixes=CHECK,GROUP
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_86" | FileCheck %s --check-prefix=SMALL
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 chunk=64" | FileCheck %s --check-prefix=ASKED

// RUN: not qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 chunk=24" 2>&1 | FileCheck %s --check-prefix=CHUNK
// CHUNK: error: expected a kernel's chunk to be 1, 16, 32 or 64, but got 24
// A decay per key channel takes chunks of blocks of 16 tokens: two of them at most,
// one where more does not fit.
// RUN: qdelta-opt %qdelta_src/lib/Models/kda.mlir -qdelta-specialize="key=128 value=128 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a" | FileCheck %s --check-prefix=CHANNEL
// RUN: qdelta-opt %qdelta_src/lib/Models/kda.mlir -qdelta-specialize="key=128 value=128 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" | FileCheck %s --check-prefix=CHANNEL
// CHANNEL: chunk = 32, columns = 128, {{.*}} kernel = true, operands = "bf16"
// RUN: qdelta-opt %qdelta_src/lib/Models/kda.mlir -qdelta-specialize="key=128 value=128" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" | FileCheck %s --check-prefix=CHANNEL16
// No chunk fits: a token loop, unless chunks are asked for.
// RUN: qdelta-opt %qdelta_src/lib/Models/kda.mlir -qdelta-specialize="key=128 value=128" -qdelta-derive-affine -qdelta-select-schedule="target=sm_86" | FileCheck %s --check-prefix=CHANNEL1
// CHANNEL1: target = "sm_86", chunk = 1, {{.*}} kernel = true
// RUN: qdelta-opt %qdelta_src/lib/Models/kda.mlir -qdelta-specialize="key=128 value=128" -qdelta-derive-affine -qdelta-select-schedule="target=sm_86 mode=chunked" | FileCheck %s --check-prefix=CHANNEL16
// CHANNEL16: chunk = 16, columns = 128, {{.*}} kernel = true, operands = "tf32"
// RUN: not qdelta-opt %qdelta_src/lib/Models/kda.mlir -qdelta-specialize="key=64 value=64" -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a chunk=64" 2>&1 | FileCheck %s --check-prefix=CHANNEL64
// CHANNEL64: error: expected the chunk of a kernel with decays per key channel to be 1, 16 or 32, but got 64
// RUN: not qdelta-opt %qdelta_src/lib/Models/momentum_delta_net.mlir -qdelta-specialize="key=64 value=64" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 mode=chunked" 2>&1 | FileCheck %s --check-prefix=STATES
// STATES: error: GPU kernels in chunks cover lists with one state, but this list has 2; mode = recurrent covers it
// RUN: sed s/128/257/g %s | not qdelta-opt - -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefix=KEY
// KEY: error: the state of a kernel stays in registers: expected a key dimension of at most 256, but got 257
// RUN: not qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule="target=sm_70" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: sed -e s/bf16/f64/g -e s/f16/f64/g -e s/f32/f64/g %s | not qdelta-opt - -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefix=F64
// F64: error: kernels for GPUs have their state in f32, but got 'tensor<?x?x{{[0-9]+}}x{{[0-9]+}}xf64>'
// TARGET: error: unknown target 'sm_70'; known are host, {{.*}}, sm_80, {{.*}}sm_90a

// Kernels keep the state in registers: nothing is unrolled, fused or deferred.
// Tensor cores that a warp addresses get chunks of 32 tokens, those that four
// address 64 tokens and whole groups of columns; what is multiplied is what is
// stored, or tf32.

// CHECK-LABEL:  func.func @wide
// WARP:         target = "sm_80", chunk = 32, columns = 128, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
// GROUP:        target = "sm_90a", chunk = 64, columns = 128, {{.*}} kernel = true, operands = "bf16">
// A chunk asked for stays; else a target with less shared memory may shorten it.
// ASKED-LABEL:  func.func @wide
// ASKED:        target = "sm_80", chunk = 64, columns = 128
// CHECK-LABEL:  func.func @narrow
// WARP:         columns = 16, {{.*}} operands = "tf32">
// GROUP:        columns = 64, {{.*}} operands = "tf32">
// CHECK-LABEL:  func.func @single
// WARP:         chunk = 32, columns = 128, {{.*}} operands = "tf32">
// SMALL-LABEL:  func.func @wide
// SMALL:        chunk = 32, columns = 128
// SMALL-LABEL:  func.func @single
// SMALL:        chunk = 16, columns = 128
// A state of more than 128 keys leaves registers for half the columns.
// CHECK-LABEL:  func.func @keys
// CHECK:        columns = 64, {{.*}} operands = "f16">

// A key dimension of 16 has room for 16 unknown writes.
// CHECK-LABEL:  func.func @unknown
// CHECK:        chunk = 16, columns = 64

qdelta.recurrence @delta(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
qdelta.recurrence @plain(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
func.func @wide(%k: tensor<?x?x?x128xbf16>, %v: tensor<?x?x?x128xbf16>, %S: tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xbf16>, tensor<?x?x128x128xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) init(tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xbf16>) final(tensor<?x?x128x128xf32>)
  return %o, %f : tensor<?x?x?x128xbf16>, tensor<?x?x128x128xf32>
}
func.func @narrow(%k: tensor<?x?x?x5xf32>, %v: tensor<?x?x?x3xf32>, %S: tensor<?x?x5x3xf32>)
    -> (tensor<?x?x?x3xf32>, tensor<?x?x5x3xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x?x?x5xf32>, tensor<?x?x?x3xf32>) init(tensor<?x?x5x3xf32>) -> (tensor<?x?x?x3xf32>) final(tensor<?x?x5x3xf32>)
  return %o, %f : tensor<?x?x?x3xf32>, tensor<?x?x5x3xf32>
}
func.func @single(%k: tensor<?x?x?x128xf32>, %v: tensor<?x?x?x128xf32>, %S: tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xf32>, tensor<?x?x128x128xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>) init(tensor<?x?x128x128xf32>)
    -> (tensor<?x?x?x128xf32>) final(tensor<?x?x128x128xf32>)
  return %o, %f : tensor<?x?x?x128xf32>, tensor<?x?x128x128xf32>
}
func.func @keys(%k: tensor<?x?x?x256xf16>, %v: tensor<?x?x?x99xf16>, %S: tensor<?x?x256x99xf32>)
    -> (tensor<?x?x?x99xf16>, tensor<?x?x256x99xf32>) {
  %o, %f = qdelta.scan @plain(%k, %v) init(%S)
    : (tensor<?x?x?x256xf16>, tensor<?x?x?x99xf16>) init(tensor<?x?x256x99xf32>)
    -> (tensor<?x?x?x99xf16>) final(tensor<?x?x256x99xf32>)
  return %o, %f : tensor<?x?x?x99xf16>, tensor<?x?x256x99xf32>
}
func.func @unknown(%k: tensor<?x?x?x16xf16>, %v: tensor<?x?x?x64xf16>, %S: tensor<?x?x16x64xf32>)
    -> (tensor<?x?x?x64xf16>, tensor<?x?x16x64xf32>) {
  %o, %f = qdelta.scan @delta(%k, %v) init(%S)
    : (tensor<?x?x?x16xf16>, tensor<?x?x?x64xf16>) init(tensor<?x?x16x64xf32>)
    -> (tensor<?x?x?x64xf16>) final(tensor<?x?x16x64xf32>)
  return %o, %f : tensor<?x?x?x64xf16>, tensor<?x?x16x64xf32>
}
