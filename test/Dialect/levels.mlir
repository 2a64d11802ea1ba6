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
// CHECK:       qdelta.scan @sums(%{{.*}}, %{{.*}}, %{{.*}}) init(%{{.*}}) position(%{{.*}} : tensor<?xi32>) :
func.func @scan(%k: !seq, %v: !seq, %lambda: tensor<?x8x?x4xf32>, %S: !seq, %p: tensor<?xi32>) -> (!seq, !seq) {
  %o, %f = qdelta.scan @sums(%k, %v, %lambda) init(%S) position(%p : tensor<?xi32>)
    : (!seq, !seq, tensor<?x8x?x4xf32>) init(!seq) -> (!seq) final(!seq)
  return %o, %f : !seq, !seq
}

// Two sequences, 3 heads and 4 levels.
// CHECK-LABEL: func.func @packed
// CHECK:       position(%{{.*}} : tensor<2xi32>) cu_seqlens(%{{.*}} : tensor<3xi32>) :
func.func @packed(%k: tensor<1x16x3x2xf32>, %v: tensor<1x16x3x5xf32>, %lambda: tensor<1x16x3x5xf32>,
                  %S: tensor<2x15x2x5xf32>, %p: tensor<2xi32>, %c: tensor<3xi32>) {
  %o, %f = qdelta.scan @sums(%k, %v, %lambda) init(%S) position(%p : tensor<2xi32>) cu_seqlens(%c : tensor<3xi32>)
    : (tensor<1x16x3x2xf32>, tensor<1x16x3x5xf32>, tensor<1x16x3x5xf32>) init(tensor<2x15x2x5xf32>)
    -> (tensor<1x16x3x5xf32>) final(tensor<2x15x2x5xf32>)
  return
}

// CHECK-LABEL: func.func @step
// CHECK:       qdelta.step @sums({{.*}}) init(%{{.*}}) position(%{{.*}} : tensor<?xi32>) state_index(%{{.*}} : tensor<?xi32>) :
func.func @step(%k: !seq, %v: !seq, %lambda: !seq, %S: !seq, %p: tensor<?xi32>, %i: tensor<?xi32>) -> (!seq, !seq) {
  %o, %f = qdelta.step @sums(%k, %v, %lambda) init(%S) position(%p : tensor<?xi32>) state_index(%i : tensor<?xi32>)
    : (!seq, !seq, !seq) init(!seq) -> (!seq) final(!seq)
  return %o, %f : !seq, !seq
}

// CHECK-LABEL: func.func @list
// CHECK:       %[[RESET:.*]], %{{.*}}, %{{.*}} = qdelta.fenwick like %{{.*}} position(%{{.*}} : tensor<?xi32>) : tensor<?x?x?x?xf32>
// CHECK:       qdelta.affine_scan(%{{.*}}, %{{.*}}, %{{.*}}, %[[RESET]]) init(%{{.*}}) levels
func.func @list(%k: !seq, %v: !seq, %lambda: !seq, %S: !seq, %p: tensor<?xi32>) -> !seq {
  %masks:3 = qdelta.fenwick like %lambda position(%p : tensor<?xi32>) : !seq
  %o, %f = qdelta.affine_scan(%k, %v, %lambda, %masks#0) init(%S) levels
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

// CHECK-LABEL: func.func @sums_of_parts
// CHECK:       qdelta.add_levels %{{.*}} like %{{.*}} cu_seqlens(%{{.*}} : tensor<3xi64>) : tensor<1x8x6x4xf32>, tensor<1x8x2x3xf32> -> tensor<1x8x2x4xbf16>
func.func @sums_of_parts(%parts: tensor<1x8x6x4xf32>, %lambda: tensor<1x8x2x3xf32>, %c: tensor<3xi64>) -> tensor<1x8x2x4xbf16> {
  %o = qdelta.add_levels %parts like %lambda cu_seqlens(%c : tensor<3xi64>)
    : tensor<1x8x6x4xf32>, tensor<1x8x2x3xf32> -> tensor<1x8x2x4xbf16>
  return %o : tensor<1x8x2x4xbf16>
}
