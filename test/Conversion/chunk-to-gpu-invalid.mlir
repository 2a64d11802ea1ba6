// RUN: qdelta-opt %s -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false \
// RUN:   "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=20 value=36 dtype=bf16},qdelta-to-affine,qdelta-to-chunked{chunk=16 target=sm_80},qdelta-chunk-to-gpu)"

// What the form of a kernel covers, and kernels for GPUs do not yet.

qdelta.recurrence @function_of_scalar(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %b: f32) {
  // expected-error @below {{'math.tanh' op is not lowered for GPUs yet for scalars of a token}}
  %c = math.tanh %b : f32
  %w = qdelta.scale %v by %c : tensor<?xf32>, f32
  %Sw = qdelta.write %S key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

qdelta.recurrence @function_of_value(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  // expected-error @below {{'math.tanh' op is not lowered for GPUs yet in a tile of values}}
  %w = math.tanh %v : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

qdelta.recurrence @function_of_key(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  // expected-error @below {{'arith.mulf' op makes key vectors inside the step, which is not lowered for GPUs yet}}
  %square = arith.mulf %k, %k : tensor<?xf32>
  %Sw = qdelta.write %S key %square value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

qdelta.recurrence @sum_of_keys(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %j: tensor<?xf32>, %v: tensor<?xf32>) {
  // expected-error @below {{'arith.addf' op makes key vectors inside the step, which is not lowered for GPUs yet}}
  %sum = arith.addf %k, %j : tensor<?xf32>
  %Sw = qdelta.write %S key %sum value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

qdelta.recurrence @value_parameter(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>)
    // expected-error @below {{'qdelta.load_tile' op is not lowered for GPUs: expected vectors of a token sequence}}
    param(%bias: tensor<?xf32>) {
  %w = arith.addf %v, %bias : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

qdelta.recurrence @key_parameter(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>)
    // expected-error @below {{'qdelta.load_tile' op is not lowered for GPUs: expected vectors of a token sequence}}
    param(%j: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %j : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

#schedule = #qdelta.schedule<target = "sm_80", chunk = 16, columns = 16, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
// expected-error @below {{expected one scf.forall over batch entries, heads and value blocks, of a schedule with kernel = true}}
func.func @no_programs(%S: tensor<?x?x16x16xf32>) -> tensor<?x?x16x16xf32> attributes {qdelta.schedule = #schedule} {
  return %S : tensor<?x?x16x16xf32>
}

// -----

#schedule = #qdelta.schedule<target = "sm_80", chunk = 16, columns = 16, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
func.func @no_chunks(%S: tensor<?x?x16x16xf32>) -> tensor<?x?x16x16xf32> attributes {qdelta.schedule = #schedule} {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expected one loop over chunks}}
  %f = scf.forall (%b, %h, %block) in (%c1, %c1, 1) shared_outs(%out = %S) -> tensor<?x?x16x16xf32> {
    scf.forall.in_parallel {
    }
  }
  return %f : tensor<?x?x16x16xf32>
}

// -----

#schedule = #qdelta.schedule<target = "sm_55", chunk = 16, columns = 16, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
// expected-error @below {{unknown GPU target 'sm_55'}}
func.func @no_target(%S: tensor<?x?x16x16xf32>) -> tensor<?x?x16x16xf32> attributes {qdelta.schedule = #schedule} {
  return %S : tensor<?x?x16x16xf32>
}
