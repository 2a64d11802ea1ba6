// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-check-derivation
// RUN: qdelta-opt %s -qdelta-derive-affine -qdelta-check-derivation=erase=true

// A list with levels, and the same with one error planted: the halves of blocks
// exchanged, a list whose blocks do not begin, what is read or written in both
// halves, and what comes directly counted at every level that reads.

// RUN: qdelta-opt %s -qdelta-derive-affine -o %t.mlir
// RUN: sed -E 's/(%%source[_0-9]*): f32, (%%reader[_0-9]*): f32/\2: f32, \1: f32/' %t.mlir | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/arith.addf %%g, %%reset[_0-9]*/arith.addf %%g, %%g/' %t.mlir | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/arith.mulf %%beta, %%source[_0-9]*/arith.mulf %%beta, %%beta/' %t.mlir | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/arith.mulf %%lambda, %%reader[_0-9]*/arith.mulf %%lambda, %%lambda/' %t.mlir | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed -E 's/arith.mulf (%%reader[_0-9]*), %%source[_0-9]*/arith.mulf \1, \1/' %t.mlir | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// CHECK: error: derived form of @gated_forward differs from the recurrence at output 0 [

// Numbers that do not count from the position.
// RUN: sed -E 's/position\(%%arg7 : tensor<\?xi32>\)/position(%%none : tensor<?xi32>)/; s/^( *)(%%reset)/\1%%none = arith.subi %%arg7, %%arg7 : tensor<?xi32>\n\1\2/' %t.mlir > %t.none.mlir
// RUN: grep -q 'position(%%none' %t.none.mlir
// RUN: not qdelta-opt %t.none.mlir -qdelta-check-derivation 2>&1 | FileCheck %s

// In the chunk form readers from one token later on, and resets everywhere but where
// blocks begin.

// RUN: qdelta-opt %s -o %t.chunked.mlir "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=2 value=3},qdelta-to-affine,qdelta-to-chunked{chunk=2})"
// RUN: qdelta-opt %t.chunked.mlir -qdelta-check-derivation
// RUN: sed 's/arith.cmpi uge/arith.cmpi ugt/' %t.chunked.mlir | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s
// RUN: sed 's/arith.cmpi eq/arith.cmpi ne/' %t.chunked.mlir | not qdelta-opt -qdelta-check-derivation 2>&1 | FileCheck %s

qdelta.recurrence @gated(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32 {qdelta.log_decay},
          %beta: f32, %lambda: f32 {qdelta.levels = "fenwick"}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  %n = qdelta.scale %y by %lambda : tensor<?xf32>, f32
  %o = arith.addf %n, %v : tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
