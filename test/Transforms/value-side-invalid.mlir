// RUN: rm -rf %t && split-file %s %t
// RUN: not qdelta-opt %t/both.mlir -qdelta-derive-affine 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: both.mlir:8:9: error: the new state is not affine in %S: qdelta.write takes a key and a value that both depend on it
// RUN: not qdelta-opt %t/decay.mlir -qdelta-derive-affine 2>&1 | FileCheck %s --check-prefix=DECAY
// DECAY: decay.mlir:6:9: error: the new state is not affine in %S: qdelta.decay takes a key, decay or factor that depends on it
// RUN: not qdelta-opt %t/read.mlir -qdelta-derive-affine 2>&1 | FileCheck %s --check-prefix=READ
// READ: read.mlir:6:8: error: the new state is not affine in %S: qdelta.read takes a key, decay or factor that depends on it
// RUN: not qdelta-opt %t/tanh.mlir -qdelta-derive-affine 2>&1 | FileCheck %s --check-prefix=TANH
// TANH: tanh.mlir:6:8: error: the new state is not affine in %S: math.tanh is applied to a value that depends on it
// RUN: not qdelta-opt %t/coupled.mlir -qdelta-derive-affine 2>&1 | FileCheck %s --check-prefix=COUPLED
// COUPLED: coupled.mlir:6:8: error: state %S is read on its value side, but is coupled with other states; this has no lowering yet

// What the chunk form does not cover, and GPUs do not.
// RUN: not qdelta-opt %t/system.mlir -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="chunk=2" 2>&1 | FileCheck %s --check-prefix=CHUNK
// CHUNK: error: a chunk's system is one for all value columns: with decays per value channel and writes that use reads, expected chunk = 1 and mode = auto or recurrent, but got 2 and auto
// RUN: not qdelta-opt %t/system.mlir -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="mode=chunked" 2>&1 | FileCheck %s --check-prefix=MODE
// MODE: error: a chunk's system is one for all value columns: with decays per value channel and writes that use reads, expected chunk = 1 and mode = auto or recurrent, but got 0 and chunked
// RUN: not qdelta-opt %models/gated_oja.mlir -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 mode=chunked" 2>&1 | FileCheck %s --check-prefix=SIDE
// SIDE: error: GPU kernels in chunks cover states that are read on their key side, but this list has one that is read on its value side; mode = recurrent covers it
// RUN: not qdelta-opt %t/columns.mlir -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80 chunk=16" 2>&1 | FileCheck %s --check-prefix=COLUMNS
// COLUMNS: error: GPU kernels in chunks cover decays common to all value channels, but this list has one per value channel; mode = recurrent covers it
// RUN: not qdelta-opt %t/known.mlir -qdelta-specialize="key=4 value=8 entry=step" -qdelta-derive-affine -qdelta-select-schedule="target=sm_80" 2>&1 | FileCheck %s --check-prefix=STEP
// STEP: error: a state in place has no GPU lowering yet if its value side is read after its key side has been written

//--- both.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @both(state %S: !mat) token(%k: !vec, %v: !vec, %b: f32) {
  %p = qdelta.read %S at %k : !mat, !vec
  %z = qdelta.read_values %S at %v : !mat, !vec
  %e = arith.addf %p, %v : !vec
  %f = qdelta.scale %z by %b : !vec, f32
  %Sw = qdelta.write %S key %f value %e : !mat, !vec, !vec
  qdelta.yield state %Sw : !mat out %p : !vec
}

//--- decay.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @decay(state %S: !mat) token(%k: !vec, %v: !vec) {
  %z = qdelta.read_values %S at %v : !mat, !vec
  %p = qdelta.read %S at %k : !mat, !vec
  %Sd = qdelta.decay %S by %z : !mat, !vec
  qdelta.yield state %Sd : !mat out %p : !vec
}

//--- read.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @read(state %S: !mat) token(%k: !vec, %v: !vec) {
  %z = qdelta.read_values %S at %v : !mat, !vec
  %Sw = qdelta.write %S key %k value %v : !mat, !vec, !vec
  %p = qdelta.read %Sw at %z : !mat, !vec
  qdelta.yield state %Sw : !mat out %p : !vec
}

//--- tanh.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @tanh(state %S: !mat) token(%k: !vec, %v: !vec) {
  %p = qdelta.read %S at %k : !mat, !vec
  %z = qdelta.read_values %S at %v : !mat, !vec
  %t = math.tanh %z : !vec
  %Sw = qdelta.write %S key %t value %v : !mat, !vec, !vec
  qdelta.yield state %Sw : !mat out %p : !vec
}

//--- coupled.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @coupled(state %S: !mat, %M: !mat) token(%k: !vec, %v: !vec, %c: f32) {
  %S1 = qdelta.mix %S with %M by %c : !mat, f32
  %M1 = qdelta.mix %M with %S1 by %c : !mat, f32
  %z = qdelta.read_values %S1 at %v : !mat, !vec
  %s = qdelta.dot %z, %k : !vec -> f32
  %o = qdelta.scale %v by %s : !vec, f32
  qdelta.yield state %S1, %M1 : !mat, !mat out %o : !vec
}

//--- system.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @system(state %S: !mat) token(%k: !vec, %v: !vec, %g: !vec {qdelta.log_decay}) {
  %Sd = qdelta.decay_values %S by %g : !mat, !vec
  %p = qdelta.read %Sd at %k : !mat, !vec
  %e = arith.subf %v, %p : !vec
  %Sw = qdelta.write %Sd key %k value %e : !mat, !vec, !vec
  qdelta.yield state %Sw : !mat out %p : !vec
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

//--- columns.mlir
!mat = tensor<?x?xf32>
!vec = tensor<?xf32>
qdelta.recurrence @columns(state %S: !mat) token(%k: !vec, %v: !vec, %g: !vec {qdelta.log_decay}) {
  %Sd = qdelta.decay_values %S by %g : !mat, !vec
  %Sw = qdelta.write %Sd key %k value %v : !mat, !vec, !vec
  %p = qdelta.read %Sw at %k : !mat, !vec
  qdelta.yield state %Sw : !mat out %p : !vec
}
