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

// -----

// A chunk of more than two blocks of decays per key channel.
#schedule = #qdelta.schedule<target = "sm_90a", chunk = 64, columns = 64, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
// expected-error @below {{expected a chunk of 16 or 32 tokens for decays per key channel, but got 64}}
func.func @long_chunk(%k: tensor<?x?x?x16xbf16>, %v: tensor<?x?x?x16xbf16>, %g: tensor<?x?x?x16xbf16>, %S: tensor<?x?x16x16xf32>)
    -> (tensor<?x?x?x16xbf16>, tensor<?x?x16x16xf32>) {
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], schedule = #schedule,
      facts = #qdelta.facts<decay = per_channel, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>) init(tensor<?x?x16x16xf32>)
      -> (tensor<?x?x?x16xbf16>) final(tensor<?x?x16x16xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    qdelta.affine_decay 0 by %tg : tensor<?xf32>
    "qdelta.affine_write"(%tk, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x16xbf16>, tensor<?x?x16x16xf32>
}

// -----

// Two decays per key channel.
#schedule = #qdelta.schedule<target = "sm_90a", chunk = 16, columns = 64, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
func.func @two_decays(%k: tensor<?x?x?x16xbf16>, %v: tensor<?x?x?x16xbf16>, %g: tensor<?x?x?x16xbf16>, %h: tensor<?x?x?x16xbf16>, %S: tensor<?x?x16x16xf32>)
    -> (tensor<?x?x?x16xbf16>, tensor<?x?x16x16xf32>) {
  // expected-error @below {{'qdelta.mask_rows' op is a second decay per key channel of a token; kernels for GPUs cover one}}
  %o, %f = qdelta.affine_scan(%k, %v, %g, %h) init(%S)
    attributes {arg_names = ["k", "v", "g", "h"], schedule = #schedule,
      facts = #qdelta.facts<decay = per_channel, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>) init(tensor<?x?x16x16xf32>)
      -> (tensor<?x?x?x16xbf16>) final(tensor<?x?x16x16xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: tensor<?xf32>, %th: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    qdelta.affine_decay 0 by %tg : tensor<?xf32>
    qdelta.affine_decay 0 by %th : tensor<?xf32>
    "qdelta.affine_write"(%tk, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x16xbf16>, tensor<?x?x16x16xf32>
}
