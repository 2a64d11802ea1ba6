// RUN: qdelta-opt %s -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false \
// RUN:   -qdelta-chunk -qdelta-chunk-to-gpu

// What is not the form of a kernel.

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

// -----

// A schedule by hand, for other sequences.
#schedule = #qdelta.schedule<target = "sm_80", chunk = 16, columns = 16, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
func.func @wide_elements(%k: tensor<?x?x?x16xf32>, %v: tensor<?x?x?x16xf32>, %S: tensor<?x?x16x16xf32>)
    -> (tensor<?x?x?x16xf32>, tensor<?x?x16x16xf32>) {
  %o, %f = qdelta.affine_scan(%k, %v) init(%S)
    attributes {arg_names = ["k", "v"], schedule = #schedule,
      facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>) init(tensor<?x?x16x16xf32>)
      -> (tensor<?x?x?x16xf32>) final(tensor<?x?x16x16xf32>) {
  // expected-error @below {{'qdelta.load_tile' op expected a sequence of 2-byte elements, but got 'tensor<?x?x?x16xf32>'}}
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_write"(%tk, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x16xf32>, tensor<?x?x16x16xf32>
}
