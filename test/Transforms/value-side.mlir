// Gated Oja: the first list is of the transposed state, a delta rule with a decay
// per key channel, and gives the keys that are written; the second has them as
// known keys, decays columns, and gives outputs and final state.

// RUN: qdelta-opt %models/gated_oja.mlir -qdelta-specialize="key=4 value=8" -qdelta-derive-affine | FileCheck %s
// CHECK-LABEL: func.func @gated_oja_forward
// CHECK:       %[[R:.*]] = qdelta.transpose_state %{{.*}} : tensor<?x?x4x8xf32> -> tensor<?x?x8x4xf32>
// CHECK:       %[[E:.*]]:2 = qdelta.affine_scan({{.*}}) init(%[[R]])
// CHECK-SAME:  facts = #qdelta.facts<decay = per_channel, reads = 1, writes = 1, unknown = [true], bounded = true>
// CHECK-SAME:  -> (tensor<?x?x?x4xf32>) final(tensor<?x?x8x4xf32>)
// CHECK:       qdelta.affine_decay 0 by %gv : tensor<?xf32>
// CHECK:       %[[P:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%v)
// CHECK:       qdelta.affine_write 0 key %v value (%beta, %{{.*}}) * (%k, %[[P]])
// CHECK:       qdelta.affine_output(%beta, %{{.*}}) * (%k, %[[P]])
// CHECK:       qdelta.affine_scan(%{{.*}}, %[[E]]#0) param
// CHECK-SAME:  facts = #qdelta.facts<decay = per_value_channel, reads = 1, writes = 1, unknown = [false], bounded = true>
// CHECK:       qdelta.affine_decay_values 0 by %gv : tensor<?xf32>
// CHECK:       qdelta.affine_write 0 key %made value (%{{.*}}) * (%v)
// CHECK:       %[[Y:.*]] = qdelta.affine_read 0 at (%{{.*}}) * (%q)
// CHECK:       qdelta.affine_output(%scale) * (%[[Y]])

// A step's first list works on a copy, taken before the second changes the state.
// RUN: qdelta-opt %models/gated_oja.mlir -qdelta-specialize="key=4 value=8 entry=step_indexed" -qdelta-derive-affine | FileCheck %s --check-prefix=STEP
// STEP-LABEL: func.func @gated_oja_step_indexed
// STEP:       %[[R:.*]] = qdelta.transpose_state %[[S:.*]] state_index(%[[I:.*]] : tensor<?xi32>)
// STEP:       qdelta.affine_scan({{.*}}) init(%[[R]]) attributes
// STEP:       qdelta.affine_scan({{.*}}) init(%[[S]]) in_place state_index(%[[I]] : tensor<?xi32>)

// In chunks both lists go on in spans of 16 tokens. The first one's state crosses them,
// and the second starts each from its transpose. The columns' decays are the value
// blocks' own work: one factor for each element of a tile. What is stored of a column
// is divided by its running decay, which read and written tiles take up; columns are
// multiplied only where some running decay has to start again.
// RUN: qdelta-opt %models/gated_oja.mlir -pass-pipeline='builtin.module(qdelta-to-recurrence{key=4 value=8},qdelta-to-affine,qdelta-to-chunked{chunk=2 target=avx2})' | FileCheck %s --check-prefix=CHUNK
// CHUNK-LABEL: func.func @gated_oja_forward
// CHUNK:       scf.forall
// CHUNK:         %[[INIT:.*]] = qdelta.transpose_state %{{.*}} : tensor<1x1x4x8xf32> -> tensor<1x1x8x4xf32>
// CHUNK:         %[[SPAN:.*]] = arith.constant 16 : index
// CHUNK:         %[[ENDS:.*]]:3 = scf.for %{{.*}} = %{{.*}} to %{{.*}} step %[[SPAN]] iter_args(%{{.*}} = %{{.*}}, %[[STATE:.*]] = %[[INIT]],
// CHUNK:         %[[START:.*]] = qdelta.transpose_state %[[STATE]] : tensor<1x1x8x4xf32> -> tensor<1x1x4x8xf32>
// CHUNK:         qdelta.chunk_gram {{.*}} decays(
// CHUNK:         qdelta.chunk_solve
// CHUNK:         tensor.extract_slice %[[START]]
// CHUNK:         %[[LOG:.*]] = qdelta.mask_rows %{{.*}} by %{{.*}} : tensor<2x8xf32>, tensor<2xi1>
// CHUNK:         %[[ALL:.*]] = qdelta.chunk_decay(%[[LOG]]) : (tensor<2x8xf32>) -> tensor<1x8xf64>
// CHUNK:         %[[RUNNING:.*]] = arith.mulf %[[BEFORE:.*]], %[[ALL]] : tensor<1x8xf64>
// CHUNK:         %[[FACTORS:.*]] = arith.truncf %[[RUNNING]]
// CHUNK:         %[[RENEW:.*]] = qdelta.any_outside %[[FACTORS]]
// CHUNK:         %[[NEXT:.*]] = arith.select %[[RENEW]], %{{.*}}, %[[RUNNING]] : tensor<1x8xf64>
// CHUNK:         %[[INVERSE:.*]] = arith.divf
// CHUNK:         %[[TO:.*]] = qdelta.chunk_decay(%[[LOG]]) to 1 : (tensor<2x8xf32>) -> tensor<2x8xf32>
// CHUNK:         %[[READ:.*]] = qdelta.scale_channels %[[TO]] by %{{.*}} : tensor<2x8xf32>, tensor<1x8xf32>
// CHUNK:         arith.mulf %{{.*}}, %[[READ]] : tensor<2x8xf32>
// CHUNK:         qdelta.chunk_apply %{{.*}}, %{{.*}} onto %{{.*}} decays(%[[LOG]]) from 1 to 1 inclusive
// CHUNK:         %[[END:.*]] = qdelta.chunk_decay(%[[LOG]]) from 1 : (tensor<2x8xf32>) -> tensor<2x8xf32>
// CHUNK:         qdelta.scale_channels %[[END]] by %[[INVERSE]] : tensor<2x8xf32>, tensor<1x8xf32>
// CHUNK:         tensor.insert_slice %[[NEXT]] into %[[BEFORE]]
// CHUNK:         qdelta.chunk_update {{.*}} when %[[RENEW]] columns %[[FACTORS]]
// CHUNK:         %[[ALL2:.*]] = qdelta.transpose_state %[[ENDS]]#1 : tensor<1x1x8x4xf32> -> tensor<1x1x4x8xf32>
// CHUNK:         tensor.parallel_insert_slice %[[ALL2]]

// Squares of 8 by 8 elements are rows that are shuffled, what is left over single ones.
// RUN: qdelta-opt %models/gated_oja.mlir -pass-pipeline='builtin.module(qdelta-to-recurrence{key=8 value=9},qdelta-to-affine,qdelta-to-chunked{chunk=2 target=avx2},qdelta-to-linalg)' | FileCheck %s --check-prefix=ROWS
// ROWS-LABEL:    func.func @gated_oja_forward
// ROWS:          scf.forall
// ROWS-COUNT-8:  vector.transfer_read {{.*}} : tensor<1x1x8x9xf32>, vector<8xf32>
// ROWS-COUNT-24: vector.shuffle {{.*}} : vector<8xf32>, vector<8xf32>
// ROWS-COUNT-8:  vector.transfer_write {{.*}} : vector<8xf32>, tensor<1x1x9x8xf32>
// ROWS:          tensor.extract {{.*}} : tensor<1x1x8x9xf32>
// ROWS:          tensor.insert {{.*}} : tensor<1x1x9x8xf32>

// On GPUs the first kernel takes the state as it is, and stores none; the second one's
// is the result, and in place its last argument but the index.
// RUN: qdelta-opt %models/gated_oja.mlir -pass-pipeline='builtin.module(qdelta-to-recurrence{key=4 value=8},qdelta-to-affine,qdelta-to-chunked{mode=recurrent target=sm_80})' | FileCheck %s --check-prefix=GPU
// GPU-LABEL: func.func private @gated_oja_forward_0
// GPU-SAME:    %[[S:[a-z0-9]*]]: tensor<?x?x4x8xf32>) -> tensor<?x?x?x4xf32>
// GPU:         %[[R:.*]] = qdelta.transpose_state %[[S]]
// GPU:         %[[E:.*]]:2 = qdelta.affine_scan({{.*}}) init(%[[R]])
// GPU:         return %[[E]]#0 : tensor<?x?x?x4xf32>
// GPU-LABEL: func.func private @gated_oja_forward_1
// GPU:         return %{{.*}}#0, %{{.*}}#1
// GPU-LABEL: func.func @gated_oja_forward
// GPU:         %[[W:.*]] = call @gated_oja_forward_0({{.*}}, %[[INIT:arg[0-9]*]])
// GPU:         call @gated_oja_forward_1({{.*}}, %[[W]], %{{.*}}, %[[INIT]])

// RUN: qdelta-opt %models/gated_oja.mlir -pass-pipeline='builtin.module(qdelta-to-recurrence{key=4 value=8 entry=step_indexed},qdelta-to-affine,qdelta-to-chunked{target=sm_80},qdelta-to-buffers{target=sm_80})' | FileCheck %s --check-prefix=LAUNCH
// LAUNCH:      llvm.func @gated_oja_step_indexed_0({{.*}}llvm.array<38 x i64>
// LAUNCH:      llvm.func @gated_oja_step_indexed_1({{.*}}llvm.array<43 x i64>
// LAUNCH-SAME:   qdelta.replaced = array<i64: 5>
// LAUNCH:      llvm.func @gated_oja_step_indexed()
// LAUNCH-SAME:   qdelta.steps = [{inputs = 6 : i64, kernel = @gated_oja_step_indexed_0, tensors = array<i32: 1, 2, 3, 4, 6, 7, 9>},
// LAUNCH-SAME:     {inputs = 7 : i64, kernel = @gated_oja_step_indexed_1, tensors = array<i32: 0, 2, 3, 9, 5, 6, 7, 8>}]
