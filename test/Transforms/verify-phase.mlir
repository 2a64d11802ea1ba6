// RUN: split-file %s %t

// Each phase passes as itself and fails as the phases around it.
// RUN: qdelta-opt %t/recurrence.mlir -qdelta-verify-phase="phase=recurrence" -o /dev/null
// RUN: not qdelta-opt %t/recurrence.mlir -qdelta-verify-phase="phase=affine" 2>&1 | FileCheck %s --check-prefix=SCAN
// SCAN: error: 'qdelta.scan' op is not allowed in phase 'affine'

// RUN: qdelta-opt %t/affine.mlir -qdelta-verify-phase="phase=affine" -o /dev/null
// RUN: not qdelta-opt %t/affine.mlir -qdelta-verify-phase 2>&1 | FileCheck %s --check-prefix=LIST
// LIST: error: 'qdelta.affine_scan' op is not allowed in phase 'recurrence'
// RUN: not qdelta-opt %t/affine.mlir -qdelta-verify-phase="phase=chunked" 2>&1 | FileCheck %s --check-prefix=LATE
// LATE: error: 'qdelta.affine_scan' op is not allowed in phase 'chunked'

// A list that is a kernel itself, token by token, has no chunk form.
// RUN: qdelta-opt %t/loop.mlir -qdelta-chunk -qdelta-verify-phase="phase=chunked" | FileCheck %s --check-prefix=LOOPS
// LOOPS: qdelta.affine_scan

// RUN: qdelta-opt %t/chunked.mlir -qdelta-verify-phase="phase=chunked" -o /dev/null
// RUN: not qdelta-opt %t/chunked.mlir -qdelta-verify-phase="phase=affine" 2>&1 | FileCheck %s --check-prefix=LOOP
// LOOP: error: 'scf.for' op is not allowed in phase 'affine'
// RUN: not qdelta-opt %t/chunked.mlir -qdelta-verify-phase="phase=linalg" 2>&1 | FileCheck %s --check-prefix=CHUNK
// CHUNK: error: 'qdelta.chunk_gram' op is not allowed in phase 'linalg'

// RUN: qdelta-opt %t/linalg.mlir -qdelta-verify-phase="phase=linalg" -o /dev/null
// RUN: not qdelta-opt %t/linalg.mlir -qdelta-verify-phase="phase=chunked" 2>&1 | FileCheck %s --check-prefix=LINALG
// LINALG: error: 'qdelta.triangular_solve' op is not allowed in phase 'chunked'
// RUN: not qdelta-opt %t/linalg.mlir -qdelta-verify-phase="phase=buffers" 2>&1 | FileCheck %s --check-prefix=SOLVE
// SOLVE: error: 'qdelta.triangular_solve' op is not allowed in phase 'buffers'

// RUN: qdelta-opt %t/buffers.mlir -qdelta-verify-phase="phase=buffers" -o /dev/null
// RUN: not qdelta-opt %t/buffers.mlir -qdelta-verify-phase="phase=target" 2>&1 | FileCheck %s --check-prefix=BUFFER
// BUFFER: error: 'func.func' op is not allowed in phase 'target'

// RUN: qdelta-opt %t/target.mlir -qdelta-verify-phase="phase=target" -o /dev/null
// RUN: not qdelta-opt %t/target.mlir -qdelta-verify-phase="phase=buffers" 2>&1 | FileCheck %s --check-prefix=LLVM
// LLVM: error: 'llvm.func' op is not allowed in phase 'buffers'

// RUN: not qdelta-opt %t/target.mlir -qdelta-verify-phase="phase=vector" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: unknown phase 'vector'

// Recurrences stay as symbols in every phase.
//--- recurrence.mlir
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}
func.func @use(%k: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32> {
  %o, %f = qdelta.scan @f(%k) init(%S)
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>)
  return %o : tensor<?x?x?x?xf32>
}
//--- affine.mlir
func.func @use(%v: tensor<?x?x?x?xf32>, %S: tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32> {
  %o, %f = qdelta.affine_scan(%v) init(%S)
    attributes {arg_names = ["v"], facts = #qdelta.facts<decay = none, reads = 0, writes = 1, unknown = [false], bounded = true>}
    : (tensor<?x?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    %x = qdelta.scale %tv by %one : tensor<?xf32>, f32
    "qdelta.affine_output"(%one, %x) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o : tensor<?x?x?x?xf32>
}
//--- loop.mlir
#loop = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 1, lanes = 4, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true, split = 4>
func.func @use(%v: tensor<?x?x?x8xf32>, %S: tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>) {
  %o, %f = qdelta.affine_scan(%v) init(%S)
    attributes {arg_names = ["v"], schedule = #loop, facts = #qdelta.facts<decay = none, reads = 0, writes = 0, bounded = true>}
    : (tensor<?x?x?x8xf32>) init(tensor<?x?x4x8xf32>) -> (tensor<?x?x?x8xf32>) final(tensor<?x?x4x8xf32>) {
  ^bb0(%tv: tensor<?xf32>):
    %one = arith.constant 1.0 : f32
    "qdelta.affine_output"(%one, %tv) : (f32, tensor<?xf32>) -> ()
    qdelta.affine_end
  }
  return %o, %f : tensor<?x?x?x8xf32>, tensor<?x?x4x8xf32>
}
//--- chunked.mlir
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}
func.func @tiles(%x: tensor<2x4xf32>, %begin: index, %end: index) {
  scf.for %i = %begin to %end step %end {
    %0 = qdelta.chunk_gram %x, %x : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x2xf32>
  }
  return
}
//--- linalg.mlir
func.func @matrices(%l: tensor<2x2xf32>, %r: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = qdelta.triangular_solve %l, %r : tensor<2x2xf32>, tensor<2x8xf32>
  %1 = linalg.matmul ins(%l, %0 : tensor<2x2xf32>, tensor<2x8xf32>) outs(%r : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %1 : tensor<2x8xf32>
}
//--- buffers.mlir
func.func @buffers(%m: memref<4xf32>, %i: index) {
  %0 = memref.load %m[%i] : memref<4xf32>
  memref.store %0, %m[%i] : memref<4xf32>
  return
}
//--- target.mlir
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>) {
  %y = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %y : tensor<?xf32>
}
llvm.func @nothing() {
  llvm.return
}
