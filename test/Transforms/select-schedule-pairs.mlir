// RUN: qdelta-opt %s -qdelta-specialize="key=64 value=96 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16" | FileCheck %s --check-prefix=PAIRS
// RUN: qdelta-opt %s -qdelta-specialize="key=64 value=96 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512" | FileCheck %s --check-prefix=ROWS
// RUN: qdelta-opt %s -qdelta-specialize="key=64 value=96 dtype=f16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16" | FileCheck %s --check-prefix=ROWS
// RUN: qdelta-opt %s -qdelta-specialize="key=64 value=96" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16" | FileCheck %s --check-prefix=ROWS
// RUN: qdelta-opt %s -qdelta-specialize="key=63 value=96 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16" | FileCheck %s --check-prefix=ROWS
// RUN: qdelta-opt %s -qdelta-specialize="key=64 value=100 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16" | FileCheck %s --check-prefix=ROWS
// RUN: qdelta-opt %s -qdelta-specialize="key=64 value=96 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16 mode=recurrent" | FileCheck %s --check-prefix=ROWS

// Rows of the state are multiplied two by two where the processor multiplies
// pairs of bf16, sequences are bf16, keys and tokens pair up and columns fill
// registers.
// PAIRS: schedule = #qdelta.schedule<target = "avx512bf16", chunk = 4, columns = 32, {{.*}} unroll = true, fuse = true, defer = true, prefetch = true, operands = "bf16">
// An odd chunk that is asked for is rows of its own.
// RUN: qdelta-opt %s -qdelta-specialize="key=64 value=96 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16 chunk=3" | FileCheck %s --check-prefix=ROWS
// So are rows that decay by channel, and keys that a prescan makes in f32.
// RUN: qdelta-opt %models/gla.mlir -qdelta-specialize="key=64 value=96 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16" | FileCheck %s --check-prefix=ROWS
// RUN: qdelta-opt %models/gated_delta_net_layer.mlir -qdelta-specialize="key=64 value=96 dtype=bf16" -qdelta-derive-affine -qdelta-select-schedule="target=avx512bf16" | FileCheck %s --check-prefix=ROWS
// ROWS-NOT: operands =
// ROWS: schedule = #qdelta.schedule<{{.*}} unroll = true
// ROWS-NOT: operands =
qdelta.recurrence @gated(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
