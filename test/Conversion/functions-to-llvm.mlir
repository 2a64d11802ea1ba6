// RUN: qdelta-opt %s -qdelta-functions-to-llvm | FileCheck %s

// CHECK-LABEL: llvm.func @branch(%{{.*}}: i64, %{{.*}}: i1)
// CHECK:       llvm.cond_br
// CHECK:       llvm.br
// CHECK:       llvm.return
func.func @branch(%x: i64, %c: i1) -> i64 {
  cf.cond_br %c, ^bb1, ^bb2(%x : i64)
^bb1:
  cf.br ^bb2(%x : i64)
^bb2(%y: i64):
  return %y : i64
}

// A C interface takes each buffer by its descriptor.
// CHECK:       llvm.func @_mlir_ciface_buffer(%{{.*}}: !llvm.ptr)
func.func @buffer(%m: memref<4xf32>) attributes {llvm.emit_c_interface} {
  return
}

// CHECK-LABEL: qdelta.recurrence @f(state %S: tensor<?x?xf32>)
// CHECK:       qdelta.yield
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}
