// RUN: qdelta-opt %s | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -mlir-print-op-generic | qdelta-opt | FileCheck %s

!seq = tensor<?x?x?x?xf32>
!gates = tensor<?x?x?xf32>

// CHECK-LABEL: qdelta.recurrence @sums
// CHECK-SAME:  %lambda: f32 {qdelta.levels = "fenwick"}
qdelta.recurrence @sums(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %lambda: f32 {qdelta.levels = "fenwick"}) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %o = qdelta.scale %y by %lambda : tensor<?xf32>, f32
  qdelta.yield state %S1 : tensor<?x?xf32> out %o : tensor<?xf32>
}

// CHECK-LABEL: func.func @scan
// CHECK:       qdelta.scan @sums(%{{.*}}, %{{.*}}, %{{.*}}) :
func.func @scan(%k: !seq, %v: !seq, %lambda: tensor<?x8x?x4xf32>) -> !seq {
  %o = qdelta.scan @sums(%k, %v, %lambda)
    : (!seq, !seq, tensor<?x8x?x4xf32>) -> (!seq)
  return %o : !seq
}

// CHECK-LABEL: func.func @list
// CHECK:       %[[RESET:.*]], %{{.*}}, %{{.*}} = qdelta.fenwick like %{{.*}} : tensor<?x?x?x?xf32>
// CHECK:       qdelta.affine_scan(%{{.*}}, %{{.*}}, %{{.*}}, %[[RESET]]) init(%{{.*}}) levels
func.func @list(%k: !seq, %v: !seq, %lambda: !seq, %sizes: !seq) -> !seq {
  %masks:3 = qdelta.fenwick like %lambda : !seq
  %o, %f = qdelta.affine_scan(%k, %v, %lambda, %masks#0) init(%sizes) levels
    attributes {arg_names = ["k", "v", "lambda", "reset"],
      facts = #qdelta.facts<decay = scalar, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (!seq, !seq, !seq, !seq) init(!seq) -> (!seq) final(!seq) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tl: f32, %reset: f32):
    %one = arith.constant 1.0 : f32
    qdelta.affine_decay 0 by %reset : f32
    qdelta.affine_write 0 key %tk value (%one) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    %y = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tl) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o : !seq
}
