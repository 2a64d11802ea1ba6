// RUN: qdelta-opt %s -qdelta-bfloat-accesses | FileCheck %s

// What only moves is never a bf16.
// CHECK-LABEL: llvm.func @copy
// CHECK:       %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<5xi16>
// CHECK-NEXT:  llvm.store %[[X]], %{{.*}} {alignment = 2 : i64} : vector<5xi16>, !llvm.ptr
// CHECK-NEXT:  llvm.return
llvm.func @copy(%from: !llvm.ptr, %to: !llvm.ptr) {
  %0 = llvm.load %from : !llvm.ptr -> vector<5xbf16>
  llvm.store %0, %to {alignment = 2 : i64} : vector<5xbf16>, !llvm.ptr
  llvm.return
}

// Nor is what is converted in integers.
// CHECK-LABEL: llvm.func @bits
// CHECK-NOT:   bf16
// CHECK:       llvm.return
llvm.func @bits(%from: !llvm.ptr, %to: !llvm.ptr) -> i16 {
  %0 = llvm.load %from : !llvm.ptr -> bf16
  %1 = llvm.bitcast %0 : bf16 to i16
  %2 = llvm.bitcast %1 : i16 to bf16
  llvm.store %2, %to : bf16, !llvm.ptr
  llvm.return %1 : i16
}

// A use as bf16 gets one.
// CHECK-LABEL: llvm.func @use
// CHECK:       %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<32xi16>
// CHECK:       %[[B:.*]] = llvm.bitcast %[[X]] : vector<32xi16> to vector<32xbf16>
// CHECK:       llvm.return %[[B]]
// CHECK-LABEL: llvm.func @others
// CHECK-NEXT:  llvm.load %{{.*}} : !llvm.ptr -> f16
llvm.func @use(%from: !llvm.ptr) -> vector<32xbf16> {
  %0 = llvm.load %from : !llvm.ptr -> vector<32xbf16>
  llvm.return %0 : vector<32xbf16>
}
llvm.func @others(%from: !llvm.ptr) -> f16 {
  %0 = llvm.load %from : !llvm.ptr -> f16
  llvm.return %0 : f16
}
