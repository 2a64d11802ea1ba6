// RUN: qdelta-opt %s -qdelta-chunk -qdelta-chunk-to-gpu -split-input-file | FileCheck %s

// Two roles of one CTA that work a chunk apart, 16 tokens and 32 value columns:
// two warps carry the state, one makes what does not depend on it.

// Dynamic shared memory, aligned to a pattern of permuted rows.
// CHECK:       llvm.mlir.global external @qdelta_shared() {addr_space = 3 : i32, alignment = 1024 : i64}
// One parameter of five words an argument and three more.
// CHECK-LABEL: llvm.func @step(
// CHECK-SAME:    !llvm.ptr {llvm.byval = !llvm.array<33 x i64>, nvvm.grid_constant}
// CHECK-SAME:    nvvm.kernel
// CHECK-SAME:    nvvm.maxntid = array<i32: 96, 1, 1>
// CHECK-SAME:    qdelta.columns = 32 : i64
// CHECK-SAME:    qdelta.schedule = #qdelta.schedule<target = "sm_80"
// CHECK-SAME:    qdelta.shared_bytes = {{[0-9]+}} : i64
// CHECK-SAME:    qdelta.threads = 96 : i64
// One thread finds where the head starts in every argument.
// CHECK:         %[[THREAD:.*]] = llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.tid.x"()
// CHECK:         arith.cmpi eq, %[[THREAD]]
// CHECK:         scf.if
// CHECK:           llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.ctaid.x"()
// CHECK:         llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK:         arith.cmpi slt, %{{.*}}, %c64_i32
// CHECK:         scf.if

// The state role. K = 20 has rows of 40 bytes, copied in pieces of 8.
// CHECK:           llvm.call_intrinsic "llvm.nvvm.cp.async.ca.shared.global.8.s"
// CHECK:           llvm.call_intrinsic "llvm.nvvm.cp.async.cg.shared.global.16.s"
// CHECK:           llvm.call_intrinsic "llvm.nvvm.cp.async.commit.group"
// The coming chunk's copies start before this chunk's products, and are there
// before the barrier that ends it. A thread holds 16 columns x 32 keys / 32.
// CHECK:           %{{[0-9]+}}:16 = scf.for
// CHECK:             llvm.nvvm.cp.async
// CHECK:             llvm.nvvm.cp.async.commit.group
// Reads of the state: operands from registers and, as they lie, from a tile.
// CHECK:             llvm.nvvm.ff2bf16x2.rn
// CHECK:             llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3
// CHECK:             llvm.nvvm.mma.m16n8k16.row.col.bf16
// The update multiplies by the transposed tile.
// CHECK:             llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3
// CHECK:             llvm.nvvm.mma.m16n8k16.row.col.bf16
// CHECK:             llvm.nvvm.cp.async.wait.group
// CHECK:             llvm.nvvm.barrier.cta.sync.aligned.all
// CHECK:             scf.yield

// The other role: sums of log decays over lanes, products of tokens with tokens,
// the inverse of the system in f32.
// CHECK:         else
// CHECK:           %{{[0-9]+}} = scf.for
// CHECK:             llvm.nvvm.shfl.sync.up.f32
// CHECK:             llvm.nvvm.ex2.approx.ftz.f32
// CHECK:             llvm.nvvm.barrier.cta.sync.aligned.count
// CHECK:             llvm.nvvm.mma.m16n8k16.row.col.bf16
// CHECK:             llvm.nvvm.cp.async.wait.group
// CHECK:             llvm.nvvm.barrier.cta.sync.aligned.all
// CHECK:             scf.yield
// CHECK:         llvm.return
// CHECK-NOT:   qdelta.load_tile
// CHECK-NOT:   func.func

#kernel = #qdelta.schedule<target = "sm_80", chunk = 16, columns = 32, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "bf16">
func.func @step(%k: tensor<?x?x?x20xbf16>, %v: tensor<?x?x?x32xbf16>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x20x32xf32>)
    -> (tensor<?x?x?x32xbf16>, tensor<?x?x20x32xf32>) {
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], schedule = #kernel,
      facts = #qdelta.facts<decay = scalar, reads = 1, writes = 1, unknown = [true], bounded = false>}
    : (tensor<?x?x?x20xbf16>, tensor<?x?x?x32xbf16>, tensor<?x?x?xf32>) init(tensor<?x?x20x32xf32>)
      -> (tensor<?x?x?x32xbf16>) final(tensor<?x?x20x32xf32>) {
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
  return %o, %f : tensor<?x?x?x32xbf16>, tensor<?x?x20x32xf32>
}

// -----

// What is multiplied as tf32 is rounded first, half the depth a product. A list
// of known writes without decays has no system and no exponentials.

// CHECK-LABEL: llvm.func @known(
// CHECK-NOT:     llvm.nvvm.ex2
// CHECK:         llvm.nvvm.f2tf32.rna
// CHECK:         llvm.nvvm.mma.m16n8k8.row.col.tf32
// CHECK-NOT:     llvm.nvvm.ex2
// CHECK:         llvm.return

#single = #qdelta.schedule<target = "sm_80", chunk = 16, columns = 16, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, operands = "tf32">
func.func @known(%k: tensor<?x?x?x16xf32>, %v: tensor<?x?x?x16xf32>, %S: tensor<?x?x16x16xf32>)
    -> (tensor<?x?x?x16xf32>, tensor<?x?x16x16xf32>) {
  %o, %f = qdelta.affine_scan(%k, %v) init(%S)
    attributes {arg_names = ["k", "v"], schedule = #single,
      facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>) init(tensor<?x?x16x16xf32>)
      -> (tensor<?x?x?x16xf32>) final(tensor<?x?x16x16xf32>) {
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
