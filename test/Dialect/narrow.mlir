// Sequences stored in bf16 or f16, tiles that reach past their source, and tiles
// of states: default and generic form.
// RUN: qdelta-opt %s | FileCheck %s
// RUN: qdelta-opt %s -mlir-print-op-generic | qdelta-opt | FileCheck %s

qdelta.recurrence @step(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %1 = qdelta.write %0 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %2 = qdelta.read %1 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %1 : tensor<?x?xf32> out %2 : tensor<?xf32>
}

!bf16 = tensor<?x?x?x?xbf16>
!f16 = tensor<?x?x?x?xf16>
!state = tensor<?x?x?x?xf32>

// CHECK-LABEL: func.func @scan
func.func @scan(%k: !bf16, %v: !bf16, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>, %S: !state) -> (!bf16, !state) {
  // CHECK: qdelta.scan @step(%{{.*}}) param(%{{.*}}) init(%{{.*}}) : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xf32>)
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (!bf16, !bf16, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(!state) -> (!bf16) final(!state)
  return %o, %f : !bf16, !state
}

// CHECK-LABEL: func.func @list
func.func @list(%k: !f16, %v: !f16, %g: tensor<?x?x?xf32>, %S: !state) -> (!f16, !state) {
  // CHECK: qdelta.affine_scan
  // CHECK-SAME: (tensor<?x?x?x?xf16>, tensor<?x?x?x?xf16>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf16>) final(tensor<?x?x?x?xf32>)
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (!f16, !f16, tensor<?x?x?xf32>) init(!state) -> (!f16) final(!state) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    qdelta.affine_write 0 key %tk value (%tg) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    %y = qdelta.affine_read 0 at (%tg) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tg) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o, %f : !f16, !state
}

// CHECK-LABEL: func.func @tiles
func.func @tiles(%K: tensor<?x?x?x60xbf16>, %O: tensor<?x?x?x60xf16>, %S: tensor<?x?x60x100xf32>, %i: index) {
  // CHECK: %[[X:.*]] = qdelta.load_tile %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] : tensor<?x?x?x60xbf16> -> tensor<16x64xf32>
  %x = qdelta.load_tile %K[%i, %i, %i] : tensor<?x?x?x60xbf16> -> tensor<16x64xf32>
  // CHECK: qdelta.store_tile %[[X]] into %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] columns %{{.*}} : tensor<16x64xf32>, tensor<?x?x?x60xf16>
  %0 = qdelta.store_tile %x into %O[%i, %i, %i] columns %i : tensor<16x64xf32>, tensor<?x?x?x60xf16>
  // CHECK: %[[S:.*]] = qdelta.load_tile %{{.*}}[%{{.*}}, %{{.*}}] columns %{{.*}} : tensor<?x?x60x100xf32> -> tensor<64x16xf32>
  %s = qdelta.load_tile %S[%i, %i] columns %i : tensor<?x?x60x100xf32> -> tensor<64x16xf32>
  // CHECK: qdelta.store_tile %[[S]] into %{{.*}}[%{{.*}}, %{{.*}}] columns %{{.*}} : tensor<64x16xf32>, tensor<?x?x60x100xf32>
  %1 = qdelta.store_tile %s into %S[%i, %i] columns %i : tensor<64x16xf32>, tensor<?x?x60x100xf32>
  return
}
