// RUN: qdelta-opt %s -qdelta-chunk -split-input-file | FileCheck %s

// A schedule with `kernel`: a program for each batch entry, head and value
// block, which keeps its state across chunks and makes the chunk's own parts
// itself. K = 20 is padded to a granule of products, V = 36 to the block.

// CHECK-LABEL: func.func @unknown
// CHECK-SAME:  kernel = true, operands = "bf16"
// CHECK:       %[[T:.*]] = tensor.dim %{{.*}} : tensor<?x?x?x20xbf16>
// CHECK:       scf.forall (%[[B:.*]], %[[H:.*]], %[[BLOCK:.*]]) in (%{{.*}}, %{{.*}}, 1)
// CHECK:         %[[COLUMN:.*]] = arith.muli %[[BLOCK]]
// Value head h reads head h / (HV / H) of a sequence.
// CHECK:         %[[RATIO:.*]] = arith.divui
// CHECK:         %[[KEYHEAD:.*]] = arith.divui %[[H]], %[[RATIO]]
// The block writes its own 36 columns, and not those it is padded by.
// CHECK:         tensor.extract_slice {{.*}}[1, %[[T]], 1, 36]
// CHECK:         tensor.extract_slice {{.*}}[1, 1, 20, 36]
// CHECK:         %[[S0:.*]] = qdelta.load_tile %{{.*}}[%[[B]], %[[H]]] columns %[[COLUMN]] : tensor<?x?x20x36xf32> -> tensor<32x48xf32>
// CHECK:         arith.ceildivui %[[T]]
// CHECK:         scf.for %[[I:.*]] = {{.*}} iter_args(%[[S:.*]] = %[[S0]], %[[O:.*]] =
// CHECK:           %[[FIRST:.*]] = arith.muli %[[I]]
// CHECK:           qdelta.chunk_valid %[[FIRST]] of %[[T]] : tensor<16xi1>
// CHECK:           %[[K:.*]] = qdelta.load_tile %{{.*}}[%[[B]], %[[FIRST]], %[[KEYHEAD]]] : tensor<?x?x?x20xbf16> -> tensor<16x32xf32>
// CHECK:           qdelta.chunk_gram %[[K]], %[[K]]
// CHECK:           qdelta.chunk_read %[[K]], %[[S]] : tensor<16x32xf32>, tensor<32x48xf32> -> tensor<16x48xf32>
// The system's inverse is a product with the right-hand side, not a solve.
// CHECK-NOT:       qdelta.chunk_solve
// CHECK:           %[[INVERSE:.*]] = qdelta.chunk_inverse blocks(%{{.*}}) : (tensor<16x16xf32>) -> tensor<16x16xf32>
// CHECK:           %[[E:.*]] = qdelta.chunk_apply %[[INVERSE]], %{{.*}} onto %{{.*}} inclusive
// CHECK:           %[[Y:.*]] = qdelta.chunk_apply %{{.*}}, %[[E]] onto %{{.*}} inclusive
// CHECK:           qdelta.store_tile %[[Y]] into %[[O]]
// Nothing is read ahead from the state.
// CHECK:           qdelta.chunk_update %[[S]] decay %{{.*}} keys(%[[K]]) values(%{{[^,)]*}}) reads()
// CHECK:         qdelta.store_tile %{{.*}} : tensor<32x48xf32>, tensor<1x1x20x36xf32>
// CHECK-NOT:   qdelta.affine_scan

#kernel = #qdelta.schedule<target = "sm_80", chunk = 16, columns = 48, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
!key = tensor<?x?x?x20xbf16>
!value = tensor<?x?x?x36xbf16>
!gate = tensor<?x?x?xf32>
!state = tensor<?x?x20x36xf32>
func.func @unknown(%k: !key, %v: !value, %g: !gate, %S: !state) -> (!value, !state) {
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], schedule = #kernel,
      facts = #qdelta.facts<decay = scalar, reads = 1, writes = 1, unknown = [true], bounded = false>}
    : (!key, !value, !gate) init(!state) -> (!value) final(!state) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %one : f32
    qdelta.affine_decay 0 by %tg : f32
    %p = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_write"(%tk, %one, %m, %tv, %p) <{state = 0, operandSegmentSizes = array<i32: 1, 2, 2>}>
      : (tensor<?xf32>, f32, f32, tensor<?xf32>, !qdelta.readout) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !value, !state
}

// -----

// A list whose writes are known needs no system, and without a decay the chunk's
// products are only masked; a value dimension of two blocks and a half has three
// programs a head, the last with fewer columns to write.

// CHECK-LABEL: func.func @known
// CHECK:       scf.forall {{.*}} in (%{{.*}}, %{{.*}}, 3)
// CHECK:         %[[REST:.*]] = arith.subi %c160
// CHECK:         %[[WIDTH:.*]] = arith.minui %[[REST]], %c64
// CHECK:         tensor.extract_slice {{.*}}, 1, %[[WIDTH]]]
// CHECK:           qdelta.chunk_decay() from 0 to 0 inclusive : -> tensor<64x64xf32>
// CHECK-NOT:       qdelta.chunk_inverse
// CHECK-NOT:       qdelta.chunk_decay
// CHECK:           qdelta.chunk_update %{{.*}} decay %{{.*}} keys(%{{[^,)]*}}) values(%{{[^,)]*}}) reads()

#blocks = #qdelta.schedule<target = "sm_90a", chunk = 64, columns = 64, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "tf32">
func.func @known(%k: tensor<?x?x?x16xf32>, %v: tensor<?x?x?x160xf32>, %S: tensor<?x?x16x160xf32>)
    -> (tensor<?x?x?x160xf32>, tensor<?x?x16x160xf32>) {
  %o, %f = qdelta.affine_scan(%k, %v) init(%S)
    attributes {arg_names = ["k", "v"], schedule = #blocks,
      facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x16xf32>, tensor<?x?x?x160xf32>) init(tensor<?x?x16x160xf32>)
      -> (tensor<?x?x?x160xf32>) final(tensor<?x?x16x160xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_write"(%tk, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    %y = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, tensor<?xf32>) -> !qdelta.readout
    "qdelta.affine_output"(%one, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x160xf32>, tensor<?x?x16x160xf32>
}
