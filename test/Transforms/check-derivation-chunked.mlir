// RUN: qdelta-opt %s -qdelta-check-derivation
// RUN: qdelta-opt %s -qdelta-check-derivation=erase=true

// The chunk form of Q-Delta, and the same with one error planted. The first is
// the released kernel's K X^T where X K^T belongs, the second drops a decay,
// the third lets the output miss its own token's write, the fourth forgets
// that the last chunk is not full, the fifth makes the system implicit.

// RUN: sed 's/chunk_gram %%x, %%k/chunk_gram %%k, %%x/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/%%k by %%toEnd/%%k by %%one/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/%%inclusive = .*/%%inclusive = qdelta.chunk_decay(%%g) from 1 to 1 : (!gate) -> !square/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/qdelta.chunk_valid %%t of %%T/qdelta.chunk_valid %%c0 of %%c4/' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s --check-prefix=TAIL
// RUN: sed 's/from 1 to 1 : /from 1 to 1 inclusive : /' %s | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s --check-prefix=SOLVE

// CHECK: error: derived form of @chunked differs from the recurrence at output 0 [
// TAIL: error: derived form of @chunked differs from the recurrence at final state 0 [
// SOLVE: error: reference: matrix of 'qdelta.chunk_solve' is not zero at [0, 0]

!keys = tensor<?x?x?x2xf32>
!values = tensor<?x?x?x3xf32>
!gates = tensor<?x?x?xf32>
!states = tensor<?x?x2x3xf32>
!row = tensor<1x?x1x3xf32>
!gate = tensor<4xf32>
!key = tensor<4x2xf32>
!value = tensor<4x3xf32>
!square = tensor<4x4xf32>
!state = tensor<2x3xf32>
!vec = tensor<?xf32>
!mat = tensor<?x?xf32>

qdelta.recurrence @q_delta(state %S: !mat)
    token(%q: !vec, %k: !vec, %v: !vec, %g: f32 {qdelta.log_decay}, %beta: f32, %lambda: f32)
    param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : !mat, f32
  %lq = qdelta.scale %q by %lambda : !vec, f32
  %x = arith.addf %k, %lq : !vec
  %p = qdelta.read %Sd at %x : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %e = qdelta.scale %d by %beta : !vec, f32
  %Sw = qdelta.write %Sd key %k value %e : !mat, !vec, !vec
  %y = qdelta.read %Sw at %q : !mat, !vec
  %o = qdelta.scale %y by %scale : !vec, f32
  qdelta.yield state %Sw : !mat out %o : !vec
}

// The head of a sequence with %H heads that value head %h reads.
func.func @head(%h: index, %HV: index, %H: index) -> index {
  %group = arith.divui %HV, %H : index
  %head = arith.divui %h, %group : index
  return %head : index
}

func.func @chunked(%Q: !keys, %K: !keys, %V: !values, %G: !gates, %Beta: !gates,
    %Lambda: !gates, %Scale: tensor<?xf32>, %S: !states) -> (!values, !states)
    attributes {qdelta.recurrence = @q_delta, qdelta.chunk = 4} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %none = arith.constant dense<0.0> : !gate
  %one = arith.constant dense<1.0> : !gate
  %B = tensor.dim %V, %c0 : !values
  %T = tensor.dim %V, %c1 : !values
  %HQ = tensor.dim %Q, %c2 : !keys
  %HK = tensor.dim %K, %c2 : !keys
  %HVal = tensor.dim %V, %c2 : !values
  %HG = tensor.dim %G, %c2 : !gates
  %HB = tensor.dim %Beta, %c2 : !gates
  %HL = tensor.dim %Lambda, %c2 : !gates
  %HV = tensor.dim %S, %c1 : !states
  %O = tensor.empty(%B, %T, %HV) : !values
  %o, %f = scf.forall (%b, %h) in (%B, %HV) shared_outs(%Oall = %O, %Sall = %S) -> (!values, !states) {
    %hq = func.call @head(%h, %HV, %HQ) : (index, index, index) -> index
    %hk = func.call @head(%h, %HV, %HK) : (index, index, index) -> index
    %hv = func.call @head(%h, %HV, %HVal) : (index, index, index) -> index
    %hg = func.call @head(%h, %HV, %HG) : (index, index, index) -> index
    %hb = func.call @head(%h, %HV, %HB) : (index, index, index) -> index
    %hl = func.call @head(%h, %HV, %HL) : (index, index, index) -> index
    %O0 = tensor.extract_slice %Oall[%b, 0, %h, 0] [1, %T, 1, 3] [1, 1, 1, 1] : !values to !row
    %S0 = tensor.extract_slice %Sall[%b, %h, 0, 0] [1, 1, 2, 3] [1, 1, 1, 1] : !states to !state
    %O1, %S1 = scf.for %t = %c0 to %T step %c4 iter_args(%Oi = %O0, %Si = %S0) -> (!row, !state) {
      %q = qdelta.load_tile %Q[%b, %t, %hq] : !keys -> !key
      %k = qdelta.load_tile %K[%b, %t, %hk] : !keys -> !key
      %v = qdelta.load_tile %V[%b, %t, %hv] : !values -> !value
      %gAll = qdelta.load_tile %G[%b, %t, %hg] : !gates -> !gate
      %betaAll = qdelta.load_tile %Beta[%b, %t, %hb] : !gates -> !gate
      %lambda = qdelta.load_tile %Lambda[%b, %t, %hl] : !gates -> !gate
      %scale = qdelta.load_tile %Scale[%h] : tensor<?xf32> -> !gate
      %valid = qdelta.chunk_valid %t of %T : tensor<4xi1>
      %g = arith.select %valid, %gAll, %none : tensor<4xi1>, !gate
      %beta = arith.select %valid, %betaAll, %none : tensor<4xi1>, !gate
      %m = arith.negf %beta : !gate

      %lq = qdelta.scale %q by %lambda : !key, !gate
      %x = arith.addf %k, %lq : !key
      %xk = qdelta.chunk_gram %x, %k : !key, !key -> !square
      %qk = qdelta.chunk_gram %q, %k : !key, !key -> !square
      %strict = qdelta.chunk_decay(%g) from 1 to 1 : (!gate) -> !square
      %inclusive = qdelta.chunk_decay(%g) from 1 to 1 inclusive : (!gate) -> !square
      %fromStart = qdelta.chunk_decay(%g) to 1 : (!gate) -> !gate
      %toEnd = qdelta.chunk_decay(%g) from 1 : (!gate) -> !gate
      %whole = qdelta.chunk_decay(%g) : (!gate) -> f32
      %xkDecayed = arith.mulf %xk, %strict : !square
      %L = qdelta.scale %xkDecayed by %m : !square, !gate
      %N = arith.mulf %qk, %inclusive : !square

      %xS = qdelta.chunk_read %x, %Si : !key, !state -> !value
      %qS = qdelta.chunk_read %q, %Si : !key, !state -> !value
      %p = qdelta.scale %xS by %fromStart : !value, !gate
      %d = arith.subf %v, %p : !value
      %r = qdelta.scale %d by %beta : !value, !gate
      %e = "qdelta.chunk_solve"(%L, %r) <{operandSegmentSizes = array<i32: 1, 1>}> : (!square, !value) -> !value
      %y0 = qdelta.scale %qS by %fromStart : !value, !gate
      %y = qdelta.chunk_apply %N, %e onto %y0 inclusive : !square, !value
      %out = qdelta.scale %y by %scale : !value, !gate
      %On = qdelta.store_tile %out into %Oi[%c0, %t, %c0] columns %c0 : !value, !row
      %kEnd = qdelta.scale %k by %toEnd : !key, !gate
      %Sn = "qdelta.chunk_update"(%Si, %whole, %kEnd, %e)
        <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0>}> : (!state, f32, !key, !value) -> !state
      scf.yield %On, %Sn : !row, !state
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %O1 into %Oall[%b, 0, %h, 0] [1, %T, 1, 3] [1, 1, 1, 1] : !row into !values
      tensor.parallel_insert_slice %S1 into %Sall[%b, %h, 0, 0] [1, 1, 2, 3] [1, 1, 1, 1] : !state into !states
    }
  }
  return %o, %f : !values, !states
}
