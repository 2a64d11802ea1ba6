// RUN: qdelta-opt %s -split-input-file -qdelta-derive-affine | FileCheck %s

// A list that begins with a decay by one number: a block's reset is added to it. What
// is written for itself counts in the first half of a block, what is read in the
// second, and what comes directly only where both are one token. States are those of all
// levels.
// CHECK-LABEL: func.func @gated_forward
// CHECK-SAME:  %[[LEVELS:arg5]]: tensor<?x?x?x?xf32>, %[[S:arg6]]: tensor<?x?x?x?xf32>, %[[P:arg7]]: tensor<?xi32>)
// CHECK:       %reset, %source, %reader = qdelta.fenwick like %[[LEVELS]] position(%[[P]] : tensor<?xi32>)
// CHECK:       qdelta.affine_scan({{.*}}, %reset, %source, %reader) init(%[[S]]) levels
// CHECK-SAME:  arg_names = ["q", "k", "v", "g", "beta", "lambda", "reset", "source", "reader"]
// CHECK-NEXT:  ^bb0({{.*}}, %lambda: f32, %[[RESET:.*]]: f32, %[[SOURCE:.*]]: f32, %[[READER:.*]]: f32):
// CHECK:       %[[G:.*]] = arith.addf %g, %[[RESET]]
// CHECK-NEXT:  qdelta.affine_decay 0 by %[[G]]
// CHECK:       %[[READ:.*]] = qdelta.affine_read 0
// CHECK:       %[[M:.*]] = arith.negf %beta
// CHECK:       %[[D:.*]] = arith.mulf %beta, %[[SOURCE]]
// CHECK:       qdelta.affine_write 0 key %k value (%[[D]], %[[M]]) * (%v, %[[READ]])
// CHECK:       %[[Y:.*]] = qdelta.affine_read 0
// CHECK:       %[[N:.*]] = arith.mulf %lambda, %[[READER]]
// CHECK:       %[[OWN:.*]] = arith.mulf %[[READER]], %[[SOURCE]]
// CHECK:       qdelta.affine_output(%[[N]], %[[OWN]]) * (%[[Y]], %v)
qdelta.recurrence @gated(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32,
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

// -----

// A list that reads first: the reset is a decay of its own, before the read.
// CHECK-LABEL: func.func @reads_first_forward
// CHECK:       facts = #qdelta.facts<decay = scalar, reads = 1, writes = 1, unknown = [false], bounded = false>
// CHECK-NEXT:  ^bb0(%k: tensor<?xf32>, %v: tensor<?xf32>, %l: f32, %[[RESET:.*]]: f32, %[[SOURCE:.*]]: f32, %[[READER:.*]]: f32):
// CHECK-NEXT:  qdelta.affine_decay 0 by %[[RESET]]
// CHECK:       %[[Y:.*]] = qdelta.affine_read 0
// CHECK:       qdelta.affine_write 0 key %k value (%[[SOURCE]]) * (%v)
// CHECK-NEXT:  %[[N:.*]] = arith.mulf %l, %[[READER]]
// CHECK-NEXT:  qdelta.affine_output(%[[N]]) * (%[[Y]])
qdelta.recurrence @reads_first(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %l: f32 {qdelta.levels = "fenwick"}) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %l : tensor<?xf32>, f32
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}
