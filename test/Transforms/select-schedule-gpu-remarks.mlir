// What GPU kernels in chunks do not cover runs token by token, and says so.
// RUN: rm -rf %t && split-file %s %t
// RUN: qdelta-opt %models/momentum_delta_net.mlir -qdelta-specialize="key=64 value=64" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefixes=STATES,LOOP
// STATES: remark: runs token by token: GPU kernels in chunks cover lists with one state, but this list has 2
// RUN: qdelta-opt %t/columns.mlir -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefixes=COLUMNS,LOOP
// COLUMNS: remark: runs token by token: GPU kernels in chunks cover decays common to all value channels, but this list has one per value channel
// RUN: qdelta-opt %t/channels.mlir -qdelta-specialize="key=16 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefixes=CHANNELS,LOOP
// CHANNELS: remark: runs token by token: GPU kernels in chunks cover one decay per key channel a token, but this list has 2
// RUN: qdelta-opt %models/delta_net.mlir -qdelta-specialize="key=7 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a" 2>&1 | FileCheck %s --check-prefixes=SYSTEM,LOOP
// SYSTEM: remark: runs token by token: chunks of 16 tokens have more writes that use reads than twice the 7 key channels
// RUN: qdelta-opt %models/kda.mlir -qdelta-specialize="key=128 value=128" -qdelta-derive-affine -qdelta-select-schedule="target=sm_86" 2>&1 | FileCheck %s --check-prefixes=SHARED,LOOP
// SHARED: remark: runs token by token: chunks of 16 tokens need more than the 101376 bytes of shared memory of sm_86
// LOOP: schedule<target = "sm_{{[0-9a-z]+}}", chunk = 1, {{.*}} kernel = true

// One list on the state transposed, one in chunks.
// RUN: qdelta-opt %t/known.mlir -qdelta-specialize="key=16 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefix=SIDE
// SIDE: remark: runs token by token: GPU kernels in chunks cover states that are read on their key side, but this list has one that is read on its value side
// SIDE: schedule<target = "sm_80", chunk = 32, {{.*}} kernel = true, operands = "tf32"
// SIDE: schedule<target = "sm_80", chunk = 1, {{.*}} kernel = true, split = 8

// What was asked for needs no remark, nor do so many key channels as a chunk takes.
// RUN: qdelta-opt %models/momentum_delta_net.mlir -qdelta-specialize="key=64 value=64" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 mode=recurrent" 2>&1 | FileCheck %s --check-prefixes=ASKED --implicit-check-not=remark
// ASKED: schedule<target = "sm_80", chunk = 1,
// RUN: qdelta-opt %models/delta_net.mlir -qdelta-specialize="key=8 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefixes=ENOUGH --implicit-check-not=remark
// ENOUGH: schedule<target = "sm_80", chunk = 16,

// A longer chunk has as many key channels as writes that use reads.
// RUN: qdelta-opt %models/delta_net.mlir -qdelta-specialize="key=31 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefixes=ENOUGH --implicit-check-not=remark
// RUN: qdelta-opt %models/delta_net.mlir -qdelta-specialize="key=32 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefixes=LONGER --implicit-check-not=remark
// RUN: qdelta-opt %models/delta_net.mlir -qdelta-specialize="key=63 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a" 2>&1 | FileCheck %s --check-prefixes=LONGER --implicit-check-not=remark
// LONGER: schedule<target = "sm_{{80|90a}}", chunk = 32,

// Nor do many unknown writes, if there are as many key channels.
// RUN: qdelta-opt %t/five.mlir -qdelta-specialize="key=64 value=64" -qdelta-derive-affine -qdelta-select-schedule="target=sm_90a" 2>&1 | FileCheck %s --check-prefixes=ENOUGH90 --implicit-check-not=remark
// ENOUGH90: writes = 5, {{.*}} schedule = #qdelta.schedule<target = "sm_90a", chunk = 16,

//--- five.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @five(state %S: !mat) token(%a: !vec, %b: !vec, %c: !vec, %d: !vec, %e: !vec) {
  %p = qdelta.read %S at %a : !mat, !vec
  %S1 = qdelta.write %S key %a value %p : !mat, !vec, !vec
  %S2 = qdelta.write %S1 key %b value %p : !mat, !vec, !vec
  %S3 = qdelta.write %S2 key %c value %p : !mat, !vec, !vec
  %S4 = qdelta.write %S3 key %d value %p : !mat, !vec, !vec
  %S5 = qdelta.write %S4 key %e value %p : !mat, !vec, !vec
  qdelta.yield state %S5 : !mat out %p : !vec
}

//--- columns.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @columns(state %S: !mat) token(%k: !vec, %v: !vec, %g: !vec {qdelta.log_decay}) {
  %Sd = qdelta.decay_values %S by %g : !mat, !vec
  %p = qdelta.read %Sd at %k : !mat, !vec
  %e = arith.subf %v, %p : !vec
  %Sw = qdelta.write %Sd key %k value %e : !mat, !vec, !vec
  qdelta.yield state %Sw : !mat out %p : !vec
}

//--- channels.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @channels(state %S: !mat) token(%k: !vec, %v: !vec, %g: !vec {qdelta.log_decay}, %h: !vec {qdelta.log_decay}) {
  %Sd = qdelta.decay %S by %g : !mat, !vec
  %Sw = qdelta.write %Sd key %k value %v : !mat, !vec, !vec
  %p = qdelta.read %Sw at %k : !mat, !vec
  %Se = qdelta.decay %Sw by %h : !mat, !vec
  qdelta.yield state %Se : !mat out %p : !vec
}

//--- known.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @known(state %S: !mat) token(%q: !vec, %k: !vec, %v: !vec, %w: !vec) {
  %S1 = qdelta.write %S key %k value %v : !mat, !vec, !vec
  %z = qdelta.read_values %S1 at %w : !mat, !vec
  %y = qdelta.read %S1 at %q : !mat, !vec
  %s = qdelta.dot %q, %z : !vec -> f32
  %o = qdelta.scale %y by %s : !vec, f32
  qdelta.yield state %S1 : !mat out %o : !vec
}
