// RUN: qdelta-opt %s -qdelta-list-to-gpu -split-input-file | FileCheck %s

// K = V = 32: four threads share four columns, eight groups of them are a warp. A
// thread has eight channels in one run, for which it reads 16 bytes of k.

// CHECK-LABEL: llvm.func @step(
// CHECK-SAME:    !llvm.ptr {llvm.byval = !llvm.array<33 x i64>, nvvm.grid_constant}
// CHECK-SAME:    nvvm.kernel
// CHECK-SAME:    nvvm.maxntid = array<i32: 32, 1, 1>
// CHECK-SAME:    qdelta.columns = 32 : i64
// CHECK-SAME:    qdelta.shared_bytes = 0 : i64
// CHECK-SAME:    qdelta.threads = 32 : i64
// The state first, a row of 16 bytes for each of eight channels.
// CHECK-COUNT-8: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK-NOT:     -> vector<4xf32>
// The first token.
// CHECK:         llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// CHECK:         llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xi32>
// CHECK:         %{{[0-9]+}}:39 = scf.for
// The next one, if there is one.
// CHECK:           scf.if
// CHECK:             llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// CHECK:             llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xi32>
// CHECK:             llvm.load %{{.*}} : !llvm.ptr<1> -> f32
// CHECK:           llvm.nvvm.ex2.approx.ftz.f32
// A read: what each thread has, then what the four have.
// CHECK-COUNT-28:  llvm.intr.fma
// CHECK-NOT:       llvm.intr.fma
// CHECK-COUNT-8:   llvm.nvvm.shfl.sync.bfly.f32
// CHECK-NOT:       shfl
// What is written, the write, and a read of what it leaves.
// CHECK-COUNT-64:  llvm.intr.fma
// CHECK-NOT:       llvm.intr.fma
// CHECK-COUNT-8:   llvm.nvvm.shfl.sync.bfly.f32
// CHECK-NOT:       shfl
// One of the four stores four columns.
// CHECK:           scf.if
// CHECK:             llvm.store {{.*}} {alignment = 8 : i64} : vector<2xi32>, !llvm.ptr<1>
// CHECK:           scf.yield
// CHECK-COUNT-8: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
// CHECK-NOT:     llvm.store
// CHECK-NOT:     barrier
// CHECK:         llvm.return

#loop = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 4>
func.func @step(%k: tensor<?x?x?x32xbf16>, %v: tensor<?x?x?x32xbf16>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x32x32xf32>)
    -> (tensor<?x?x?x32xbf16>, tensor<?x?x32x32xf32>) {
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], schedule = #loop,
      facts = #qdelta.facts<decay = scalar, reads = 1, writes = 1, unknown = [true], bounded = false>}
    : (tensor<?x?x?x32xbf16>, tensor<?x?x?x32xbf16>, tensor<?x?x?xf32>) init(tensor<?x?x32x32xf32>)
      -> (tensor<?x?x?x32xbf16>) final(tensor<?x?x32x32xf32>) {
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
  return %o, %f : tensor<?x?x?x32xbf16>, tensor<?x?x32x32xf32>
}

// -----

// Pieces are as long as is sure to be aligned. What does not exist is not read:
// of 9 channels over 4 threads some have none, of 6 columns some have two.

// CHECK-LABEL: llvm.func @odd(
// CHECK:         %[[KEY:.*]] = arith.cmpi slt, %{{.*}}, %c9_i32
// CHECK:         %[[COLUMN:.*]] = arith.cmpi slt, %{{.*}}, %c6_i32
// CHECK:         scf.if
// CHECK:           llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xf32>
// CHECK:         } else {
// CHECK-NOT:     vector<4xf32>
// A key that the step makes is cleared where there is no channel.
// CHECK:         scf.for
// CHECK:           arith.select %[[KEY]], %{{.*}}, %{{.*}} : f32
// CHECK:         llvm.return

#odd = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 4>
func.func @odd(%k: tensor<?x?x?x9xf32>, %v: tensor<?x?x?x6xf32>, %S: tensor<?x?x9x6xf32>)
    -> (tensor<?x?x?x6xf32>, tensor<?x?x9x6xf32>) {
  %o, %f = qdelta.affine_scan(%k, %v) init(%S)
    attributes {arg_names = ["k", "v"], schedule = #odd,
      facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x9xf32>, tensor<?x?x?x6xf32>) init(tensor<?x?x9x6xf32>)
      -> (tensor<?x?x?x6xf32>) final(tensor<?x?x9x6xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %e = math.exp %tk : tensor<?xf32>
    "qdelta.affine_write"(%e, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<?xf32>, f32, tensor<?xf32>) -> ()
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x6xf32>, tensor<?x?x9x6xf32>
}

// -----

// In place: four arguments, of which the index says where the state is, both when
// it is read and when it is written.

// CHECK-LABEL: llvm.func @in_place(
// CHECK-SAME:    llvm.byval = !llvm.array<23 x i64>
// CHECK:         %[[ENTRY:.*]] = llvm.load %{{.*}} : !llvm.ptr<1> -> i32
// CHECK:         arith.extsi %[[ENTRY]]
// CHECK:         llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK:         scf.for
// CHECK:         arith.extsi %[[ENTRY]]
// CHECK:         llvm.store %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
// CHECK:         llvm.return

#place = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 4>
func.func @in_place(%v: tensor<?x?x?x32xf32>, %S: tensor<?x?x4x32xf32>, %i: tensor<?xi32>)
    -> (tensor<?x?x?x32xf32>, tensor<?x?x4x32xf32>) attributes {qdelta.recurrence = @sum} {
  %o, %f = qdelta.affine_scan(%v) init(%S) in_place state_index(%i : tensor<?xi32>)
    attributes {arg_names = ["v"], schedule = #place,
      facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x32xf32>) init(tensor<?x?x4x32xf32>)
      -> (tensor<?x?x?x32xf32>) final(tensor<?x?x4x32xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %e = arith.constant dense<1.0> : tensor<4xf32>
    "qdelta.affine_write"(%e, %one, %tv) <{state = 0, operandSegmentSizes = array<i32: 1, 1, 1>}>
      : (tensor<4xf32>, f32, tensor<?xf32>) -> ()
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x32xf32>, tensor<?x?x4x32xf32>
}
qdelta.recurrence @sum(state %S: tensor<4x?xf32>) token(%v: tensor<?xf32>) {
  %e = arith.constant dense<1.0> : tensor<4xf32>
  %Sw = qdelta.write %S key %e value %v : tensor<4x?xf32>, tensor<4xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<4x?xf32> out %v : tensor<?xf32>
}
