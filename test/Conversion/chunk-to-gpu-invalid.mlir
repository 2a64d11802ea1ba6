// RUN: qdelta-opt %s -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=20 value=36 dtype=bf16},qdelta-to-affine,qdelta-to-chunked{chunk=16 target=sm_80},qdelta-to-buffers{target=sm_80})"

// What the form of a kernel covers, and kernels for GPUs do not yet.

qdelta.recurrence @function_of_scalar(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %b: f32) {
  // expected-error @below {{'math.clampf' op is not lowered for GPUs yet in the step of a token}}
  %c = math.clampf %b to [%b, %b] : f32
  %w = qdelta.scale %v by %c : tensor<?xf32>, f32
  %Sw = qdelta.write %S key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// expected-error @below {{GPU kernels in chunks cover one decay per key channel a token, but this list has 2; mode = recurrent covers it}}
qdelta.recurrence @two_decays(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: tensor<?xf32> {qdelta.log_decay}, %h: tensor<?xf32> {qdelta.log_decay}) {
  %Sg = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sg key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Sh = qdelta.decay %Sw by %h : tensor<?x?xf32>, tensor<?xf32>
  %y = qdelta.read %Sh at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sh : tensor<?x?xf32> out %y : tensor<?xf32>
}
