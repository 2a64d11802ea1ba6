// RUN: qdelta-opt %s -qdelta-check-derivation
// RUN: qdelta-opt %s -qdelta-check-derivation=erase=true
// RUN: qdelta-opt %s -qdelta-secondary-chunks -qdelta-check-derivation

// The chunk form of gated linear attention, one decay per key channel, and the
// same with one error planted: a write's key that misses a token's decay, a
// product that misses its own token's, a state that does not decay, keys past
// the last token that decay.

// RUN: sed 's/%%toEnd = qdelta.chunk_decay(%%g) from 1/%%toEnd = qdelta.chunk_decay(%%g) from 0/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s --check-prefix=STATE
// RUN: sed 's/decays(%%g) from 1 to 1/decays(%%g) from 0 to 1/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/ channels %%whole keys/ keys/; s/f32 channels !row1 keys/f32 keys/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s --check-prefix=STATE
// RUN: sed 's/qdelta.mask_rows %%gAll by %%valid/qdelta.mask_rows %%gAll by %%always/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s --check-prefix=STATE

// CHECK: error: derived form of @chunked differs from the recurrence at output 0 [
// STATE: error: derived form of @chunked differs from the recurrence at {{output|final state}} 0 [

!keys = tensor<?x?x?x2xf32>
!values = tensor<?x?x?x3xf32>
!states = tensor<?x?x2x3xf32>
!row = tensor<1x?x1x3xf32>
!row1 = tensor<1x2xf32>
!gate = tensor<20xf32>
!key = tensor<20x2xf32>
!value = tensor<20x3xf32>
!square = tensor<20x20xf32>
!state = tensor<2x3xf32>
!vec = tensor<?xf32>
!mat = tensor<?x?xf32>

qdelta.recurrence @gla(state %S: !mat)
    token(%q: !vec, %k: !vec, %v: !vec, %g: !vec {qdelta.log_decay}) {
  %Sd = qdelta.decay %S by %g : !mat, !vec
  %Sw = qdelta.write %Sd key %k value %v : !mat, !vec, !vec
  %y = qdelta.read %Sw at %q : !mat, !vec
  qdelta.yield state %Sw : !mat out %y : !vec
}

// The head of a sequence with %H heads that value head %h reads.
func.func @head(%h: index, %HV: index, %H: index) -> index {
  %group = arith.divui %HV, %H : index
  %head = arith.divui %h, %group : index
  return %head : index
}

func.func @chunked(%Q: !keys, %K: !keys, %V: !values, %G: !keys, %S: !states) -> (!values, !states)
    attributes {qdelta.recurrence = @gla, qdelta.chunk = 20} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c20 = arith.constant 20 : index
  %none = arith.constant dense<0.0> : !gate
  %all = arith.constant dense<1.0> : !gate
  %one = arith.constant 1.0 : f32
  %always = arith.constant dense<true> : tensor<20xi1>
  %B = tensor.dim %V, %c0 : !values
  %T = tensor.dim %V, %c1 : !values
  %HQ = tensor.dim %Q, %c2 : !keys
  %HK = tensor.dim %K, %c2 : !keys
  %HVal = tensor.dim %V, %c2 : !values
  %HG = tensor.dim %G, %c2 : !keys
  %HV = tensor.dim %S, %c1 : !states
  %O = tensor.empty(%B, %T, %HV) : !values
  %o, %f = scf.forall (%b, %h) in (%B, %HV) shared_outs(%Oall = %O, %Sall = %S) -> (!values, !states) {
    %hq = func.call @head(%h, %HV, %HQ) : (index, index, index) -> index
    %hk = func.call @head(%h, %HV, %HK) : (index, index, index) -> index
    %hv = func.call @head(%h, %HV, %HVal) : (index, index, index) -> index
    %hg = func.call @head(%h, %HV, %HG) : (index, index, index) -> index
    %O0 = tensor.extract_slice %Oall[%b, 0, %h, 0] [1, %T, 1, 3] [1, 1, 1, 1] : !values to !row
    %S0 = tensor.extract_slice %Sall[%b, %h, 0, 0] [1, 1, 2, 3] [1, 1, 1, 1] : !states to !state
    %O1, %S1 = scf.for %t = %c0 to %T step %c20 iter_args(%Oi = %O0, %Si = %S0) -> (!row, !state) {
      %q = qdelta.load_tile %Q[%b, %t, %hq] : !keys -> !key
      %k = qdelta.load_tile %K[%b, %t, %hk] : !keys -> !key
      %v = qdelta.load_tile %V[%b, %t, %hv] : !values -> !value
      %gAll = qdelta.load_tile %G[%b, %t, %hg] : !keys -> !key
      %valid = qdelta.chunk_valid %t of %T : tensor<20xi1>
      %g = qdelta.mask_rows %gAll by %valid : !key, tensor<20xi1>
      %exists = arith.select %valid, %all, %none : tensor<20xi1>, !gate

      %fromStart = qdelta.chunk_decay(%g) to 1 : (!key) -> !key
      %toEnd = qdelta.chunk_decay(%g) from 1 : (!key) -> !key
      %whole = qdelta.chunk_decay(%g) : (!key) -> !row1
      %x = arith.mulf %q, %fromStart : !key
      %a = arith.mulf %k, %toEnd : !key
      %N = qdelta.chunk_gram %q, %k decays(%g) from 1 to 1 inclusive : !key, !key decays(!key) -> !square

      %y0 = qdelta.chunk_read %x, %Si : !key, !state -> !value
      %y = qdelta.chunk_apply %N, %v onto %y0 inclusive : !square, !value
      %On = qdelta.store_tile %y into %Oi[%c0, %t, %c0] columns %c0 : !value, !row
      %e = qdelta.scale %v by %exists : !value, !gate
      %Sn = qdelta.chunk_update %Si decay %one channels %whole keys(%a) values(%e) reads()
        : !state, f32 channels !row1 keys(!key) values(!value) -> !state
      scf.yield %On, %Sn : !row, !state
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %O1 into %Oall[%b, 0, %h, 0] [1, %T, 1, 3] [1, 1, 1, 1] : !row into !values
      tensor.parallel_insert_slice %S1 into %Sall[%b, %h, 0, 0] [1, 1, 2, 3] [1, 1, 1, 1] : !state into !states
    }
  }
  return %o, %f : !values, !states
}
