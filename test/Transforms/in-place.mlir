// RUN: qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=8 value=24 entry=step_indexed" | FileCheck %s --check-prefix=ENTRY
// RUN: qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=8 value=24 entry=step" -qdelta-derive-affine | FileCheck %s --check-prefix=LIST
// RUN: qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=128 value=128 entry=step" -qdelta-derive-affine -qdelta-select-schedule=target=avx512 | FileCheck %s --check-prefix=AVX512
// RUN: qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=128 value=128 entry=step" -qdelta-derive-affine -qdelta-select-schedule=target=avx2 | FileCheck %s --check-prefix=AVX2
// RUN: qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=128 value=128 entry=step" -qdelta-derive-affine -qdelta-select-schedule=target=sm_90a | FileCheck %s --check-prefix=GPU
// RUN: not qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=8 value=8 entry=step" -qdelta-derive-affine -qdelta-select-schedule=chunk=2 2>&1 | FileCheck %s --check-prefix=CHUNK
// RUN: not qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="entry=backward" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=8 value=24 entry=step_indexed" -qdelta-derive-affine -qdelta-select-schedule=target=avx512 -qdelta-chunk | FileCheck %s --check-prefix=LOOPS
// RUN: qdelta-opt %models/gated_delta_net.mlir -qdelta-specialize="key=8 value=24 entry=step" -qdelta-derive-affine -qdelta-select-schedule=target=avx512 -qdelta-chunk -cse -qdelta-unroll-chunks | FileCheck %s --check-prefix=ROWS
// RUN: qdelta-opt %models/additive.mlir -qdelta-specialize="key=8 value=24 entry=step" -qdelta-derive-affine -qdelta-select-schedule=target=avx512 -qdelta-chunk -cse -qdelta-unroll-chunks | FileCheck %s --check-prefix=ONEPASS
// RUN: qdelta-opt %models/gated_delta_net.mlir -pass-pipeline="builtin.module(qdelta-to-recurrence{key=8 value=24 entry=step},qdelta-to-affine,qdelta-to-chunked{target=avx512},qdelta-to-linalg,qdelta-to-buffers{target=avx512})" | FileCheck %s --check-prefix=BUFFERS
// RUN: qdelta-opt %models/gated_delta_net.mlir -pass-pipeline="builtin.module(qdelta-to-recurrence{key=8 value=24 entry=step_indexed},qdelta-to-affine,qdelta-to-chunked{target=avx512},qdelta-to-linalg,qdelta-to-buffers{target=avx512})" | FileCheck %s --check-prefix=POOL
// RUN: not qdelta-opt %s -qdelta-chunk 2>&1 | FileCheck %s --check-prefix=STORED

// The entry has the index last among its arguments.
// ENTRY:       func.func @gated_delta_net_step_indexed(
// ENTRY-SAME:  tensor<?x?x8x24xf32>, %[[I:.*]]: tensor<?xi32>) -> (tensor<?x?x?x24xf32>, tensor<?x?x8x24xf32>) attributes {qdelta.recurrence = @gated_delta_net}
// ENTRY:       qdelta.step @gated_delta_net({{.*}}) state_index(%[[I]] : tensor<?xi32>)

// LIST:        func.func @gated_delta_net_step(
// LIST:        qdelta.affine_scan({{.*}} init(%{{.*}}) in_place attributes
// LIST-NOT:    qdelta.step

// Tokens one by one and whole rows, as far as registers go.
// AVX512:      chunk = 1, columns = 128, span = 1, lanes = 16, unroll = true, fuse = false, defer = false, prefetch = true
// AVX2:        chunk = 1, columns = 32, span = 1, lanes = 8, unroll = true, fuse = false, defer = false, prefetch = true
// GPU:         chunk = 1, {{.*}} kernel = true
// CHUNK:       states in place go with tokens one by one, chunk = 1 and mode = auto or recurrent, but got 2 and auto
// UNKNOWN:     expected entry to be forward, packed, step, step_indexed, summary, compose, apply, but got backward

// The state is the slice that the index names, whole, before and after; the next
// item's is ahead.
// LOOPS:       func.func @gated_delta_net_step_indexed({{.*}}, %[[S:[a-z0-9]+]]: tensor<?x?x8x24xf32>, %[[I:[a-z0-9]+]]: tensor<?xi32>)
// LOOPS:       scf.forall (%[[B:.*]], %[[H:.*]]) in ({{.*}}) shared_outs(%{{.*}} = %{{.*}}, %[[ALL:.*]] = %[[S]])
// LOOPS:         %[[E:.*]] = tensor.extract %[[I]][%[[B]]]
// LOOPS:         %[[AT:.*]] = arith.index_castui %[[E]]
// LOOPS:         %[[OWN:.*]] = tensor.extract_slice %[[ALL]][%[[AT]], %[[H]], 0, 0] [1, 1, 8, 24]
// LOOPS:         scf.for {{.*}} iter_args(%{{.*}} = %[[OWN]]
// LOOPS-COUNT-2: qdelta.chunk_read
// LOOPS:         qdelta.chunk_update {{.*}} ahead %[[ALL]][
// LOOPS:         tensor.parallel_insert_slice %{{.*}} into %[[ALL]][%[[AT]], %[[H]], 0, 0]

// Both reads in one pass, then one that updates and asks for the next state.
// ROWS:        func.func @gated_delta_net_step(
// ROWS:        iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (vector<24xf32>, vector<24xf32>)
// ROWS:          %[[ROW:.*]] = vector.transfer_read
// ROWS:          vector.fma %{{.*}}, %[[ROW]]
// ROWS:          vector.fma %{{.*}}, %[[ROW]]
// ROWS:        qdelta.prefetch {{.*}} columns %{{.*}} by 1 rows 1
// ROWS:        vector.transfer_read

// Where no write needs a read one pass does both, without hints: the read is of
// the old row.
// ONEPASS:     func.func @additive_step(
// ONEPASS-NOT: -> (vector<24xf32>)
// ONEPASS:     scf.for {{.*}} -> (tensor<8x24xf32>, vector<24xf32>)
// ONEPASS:       %[[OLD:.*]] = vector.transfer_read
// ONEPASS:       %[[NEW:.*]] = vector.fma
// ONEPASS:       vector.transfer_write %[[NEW]]
// ONEPASS:       vector.fma %{{.*}}, %[[OLD]]
// ONEPASS:       scf.yield
// ONEPASS-NOT: qdelta.prefetch %{{.*}} rows 1

// One argument for the state, and no copy of it.
// BUFFERS:     func.func @gated_delta_net_step(
// BUFFERS-SAME: {dtype = f32, name = "S", role = 6 : i64, shape = array<i64: -1, -3, 8, 24>}
// BUFFERS-SAME: name = "o"
// BUFFERS-NOT: S_final
// BUFFERS-NOT: memref.copy
// BUFFERS-NOT: memref<8x24xf32>
// BUFFERS:     return

// STORED:      a state in place is stored as it is after every token: expected a schedule without fuse, defer and kernel
func.func @deferred(%k: tensor<?x?x?x4xf32>, %S: tensor<?x?x4x4xf32>) -> (tensor<?x?x?x4xf32>, tensor<?x?x4x4xf32>) {
  %o, %f = qdelta.affine_scan(%k) init(%S) in_place
    attributes {arg_names = ["k"], facts = #qdelta.facts<decay = none, reads = 1, writes = 0, bounded = true>,
      schedule = #qdelta.schedule<target = "avx2", chunk = 1, columns = 4, span = 1, lanes = 8, unroll = true, fuse = true, defer = false, prefetch = false>}
    : (tensor<?x?x?x4xf32>) init(tensor<?x?x4x4xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4x4xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %y = qdelta.affine_read 0 at (%one) * (%tk) : (f32) * (tensor<?xf32>)
    qdelta.affine_output(%one) * (%y) : (f32) * (!qdelta.readout)
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x4xf32>, tensor<?x?x4x4xf32>
}

// A pool has N states, and its index comes behind it.
// POOL: func.func @gated_delta_net_step_indexed(
// POOL-SAME: name = "S", role = 7 : i64, shape = array<i64: -6, -3, 8, 24>}, {dtype = i32, name = "state_index", role = 8 : i64, shape = array<i64: -1>}, {dtype = f32, name = "o"
