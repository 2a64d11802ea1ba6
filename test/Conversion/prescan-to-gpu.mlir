// RUN: qdelta-opt %s -qdelta-prescan-to-gpu -split-input-file | FileCheck %s

// A convolution of two taps and a norm: a run of 32 tokens a warp. Of 64 channels a
// lane has two adjacent ones, four bytes of bf16.

// CHECK-LABEL: llvm.func @window(
// CHECK-SAME:    !llvm.ptr {llvm.byval = !llvm.array<28 x i64>, nvvm.grid_constant}
// CHECK-SAME:    nvvm.kernel
// CHECK-SAME:    qdelta.blocks = 1 : i64
// CHECK-SAME:    qdelta.threads = 32 : i64
// CHECK-SAME:    qdelta.tokens = 32 : i64
// What the parameter gives, once.
// CHECK:         llvm.load %{{.*}} : !llvm.ptr<1> -> f32
// CHECK:         llvm.load %{{.*}} : !llvm.ptr<1> -> f32
// The state: the initial one for the first tokens, else what one token leaves.
// CHECK:         %{{.*}}:2 = scf.if
// CHECK:         %{{.*}}:2 = scf.for
// CHECK-NOT:       shfl
// CHECK-NOT:       llvm.store
// CHECK:           scf.yield
// CHECK:         %{{.*}}:3 = scf.for
// The next token, while there is one.
// CHECK:           scf.if
// CHECK:             llvm.load %{{.*}} : !llvm.ptr<1> -> i32
// CHECK-COUNT-5:   llvm.nvvm.shfl.sync.bfly.f32
// CHECK-NOT:       shfl
// CHECK:           llvm.nvvm.rsqrt.approx.ftz.f
// CHECK:           llvm.store {{.*}} : i32, !llvm.ptr<1>
// The last run has the final state.
// CHECK:         scf.if
// CHECK-COUNT-2:   llvm.store {{.*}} : f32, !llvm.ptr<1>
// CHECK-NOT:     llvm.store
// CHECK:         llvm.return

#warp = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 32, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true>
func.func @window(%heads: index, %k: tensor<?x?x?x64xbf16>, %w: tensor<?x64xf32>, %last: tensor<?x?x64xf32>)
    -> (tensor<?x?x?x64xbf16>, tensor<?x?x64xf32>) {
  %o, %f = qdelta.prescan heads %heads(%k) param(%w) init(%last) attributes {arg_names = ["k", "w", "last"], schedule = #warp}
    : (tensor<?x?x?x64xbf16>) param(tensor<?x64xf32>) init(tensor<?x?x64xf32>) -> (tensor<?x?x?x64xbf16>) final(tensor<?x?x64xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tw: tensor<?xf32>, %tl: tensor<?xf32>):
    %next = qdelta.advance set %tl with %tk : tensor<?xf32> : tensor<?xf32>
    %m = arith.mulf %tw, %tl : tensor<?xf32>
    %s = arith.addf %m, %tk : tensor<?xf32>
    %d = qdelta.dot %s, %s : tensor<?xf32> -> f32
    %r = math.rsqrt %d : f32
    %n = qdelta.scale %s by %r : tensor<?xf32>, f32
    qdelta.prescan_yield %n : tensor<?xf32>
  }
  return %o, %f : tensor<?x?x?x64xbf16>, tensor<?x?x64xf32>
}

// -----

// A sum that is carried on: one run, of all tokens. 20 channels, of which twelve
// lanes have none; they add zeros.

// CHECK-LABEL: llvm.func @carried(
// CHECK-SAME:    qdelta.tokens = 0 : i64
// CHECK:         arith.cmpi slt, %{{.*}}, %c20_i32
// CHECK:         scf.for
// CHECK:           llvm.intr.fma
// CHECK:           arith.select %{{.*}}, %{{.*}}, %{{.*}} : f32
// CHECK-COUNT-5:   llvm.nvvm.shfl.sync.bfly.f32
// A scalar is stored by the first lane.
// CHECK:           scf.if
// CHECK:             llvm.store {{.*}} : f32, !llvm.ptr<1>

#warp = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true>
func.func @carried(%heads: index, %k: tensor<?x?x?x20xf32>, %g: tensor<?x?x?xf32>, %z: tensor<?x?x20xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x20xf32>) {
  %o, %f = qdelta.prescan heads %heads(%k, %g) init(%z) attributes {arg_names = ["k", "g", "z"], schedule = #warp}
    : (tensor<?x?x?x20xf32>, tensor<?x?x?xf32>) init(tensor<?x?x20xf32>) -> (tensor<?x?x?xf32>) final(tensor<?x?x20xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tg: f32, %tz: tensor<?xf32>):
    %next = qdelta.advance affine %tz by %tg : f32 with %tk : tensor<?xf32> : tensor<?xf32>
    %d = qdelta.dot %tk, %next : tensor<?xf32> -> f32
    qdelta.prescan_yield %d : f32
  }
  return %o, %f : tensor<?x?x?xf32>, tensor<?x?x20xf32>
}

// -----

// A rotation: channels j and j + 32 are one lane's, and so is their angle.

// CHECK-LABEL: llvm.func @rotation(
// CHECK-SAME:    qdelta.tokens = 32 : i64
// CHECK:         scf.for
// CHECK-NOT:       shfl
// CHECK:           math.cos
// CHECK:           math.sin
// CHECK-COUNT-2:   llvm.store

#warp = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 32, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true>
func.func @rotation(%heads: index, %k: tensor<?x?x?x64xf32>, %phi: tensor<?x?x?x32xf32>) -> tensor<?x?x?x64xf32> {
  %o = qdelta.prescan heads %heads(%k, %phi) attributes {arg_names = ["k", "phi"], schedule = #warp}
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>) -> (tensor<?x?x?x64xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tphi: tensor<?xf32>):
    %c = math.cos %tphi : tensor<?xf32>
    %s = math.sin %tphi : tensor<?xf32>
    %r = qdelta.rotate %tk by %c, %s : tensor<?xf32>, tensor<?xf32>
    qdelta.prescan_yield %r : tensor<?xf32>
  }
  return %o : tensor<?x?x?x64xf32>
}
