// RUN: qdelta-opt %s -qdelta-levels-to-gpu | FileCheck %s

// A token's numbers of all levels, by its number in the sequence: what is left of it
// under a level's mask, and the mask's highest bit.
// CHECK-LABEL: llvm.func @numbers(
// CHECK-SAME:  nvvm.kernel
// CHECK-SAME:  qdelta.threads = 32 : i64, qdelta.tokens = 32 : i64
// CHECK:       scf.if
// CHECK:         %[[NUMBER:.*]] = arith.addi
// CHECK:         scf.for {{.*}} iter_args(%[[MASK:.*]] = %{{.*}}) -> (i32)
// CHECK:           arith.andi %[[NUMBER]], %[[MASK]] : i32
// CHECK:           arith.shrui %[[MASK]]
// CHECK:           arith.andi %[[NUMBER]]
// CHECK-COUNT-3:   llvm.store
func.func private @numbers(%l: tensor<?x?x?x?xf32>, %p: tensor<?xi32>, %c: tensor<?xi64>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) {
  %r, %s, %t = qdelta.fenwick like %l position(%p : tensor<?xi32>) cu_seqlens(%c : tensor<?xi64>) : tensor<?x?x?x?xf32>
  return %r, %s, %t : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
}

// Sums in f32, rounded where they are stored.
// CHECK-LABEL: llvm.func @sums(
// CHECK:       scf.for
// CHECK:         scf.for
// CHECK:           arith.addf
// CHECK:         llvm.store
func.func private @sums(%parts: tensor<?x?x?x8xbf16>, %l: tensor<?x?x?x?xf32>) -> tensor<?x?x?x8xbf16> {
  %o = qdelta.add_levels %parts like %l : tensor<?x?x?x8xbf16>, tensor<?x?x?x?xf32> -> tensor<?x?x?x8xbf16>
  return %o : tensor<?x?x?x8xbf16>
}
