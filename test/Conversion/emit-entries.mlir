// RUN: qdelta-opt %s -qdelta-emit-entries -split-input-file -verify-diagnostics | FileCheck %s

// The entry loads one descriptor pointer per buffer and passes the range on.

// CHECK-LABEL: llvm.func @f(
// CHECK:       llvm.func @f_entry(%[[DESCRIPTORS:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64)
// CHECK:         %[[AT0:.*]] = llvm.getelementptr %[[DESCRIPTORS]][0] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK:         %[[X:.*]] = llvm.load %[[AT0]] : !llvm.ptr -> !llvm.ptr
// CHECK:         %[[AT1:.*]] = llvm.getelementptr %[[DESCRIPTORS]][1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK:         %[[Y:.*]] = llvm.load %[[AT1]] : !llvm.ptr -> !llvm.ptr
// CHECK:         llvm.call @_mlir_ciface_f(%[[X]], %[[Y]], %[[BEGIN]], %[[END]])
// CHECK:         llvm.return
// The description belongs to the function alone; other functions have no entry.
// CHECK-LABEL: llvm.func @_mlir_ciface_f(
// CHECK-NOT:   qdelta.arguments
// CHECK-NOT:   @g_entry
llvm.func @f() attributes {qdelta.arguments = []} {
  llvm.return
}
llvm.func @_mlir_ciface_f(%x: !llvm.ptr, %y: !llvm.ptr, %begin: i64, %end: i64) attributes {qdelta.arguments = []} {
  llvm.return
}
llvm.func @g() {
  llvm.return
}

// -----

// expected-error @below {{has no C interface}}
llvm.func @alone() attributes {qdelta.arguments = []} {
  llvm.return
}
