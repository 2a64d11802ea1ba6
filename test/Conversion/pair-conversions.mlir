// RUN: qdelta-opt %s -qdelta-pair-conversions | FileCheck %s

// One instruction rounds both registers, the second to the lower half.
// CHECK-LABEL: func.func @both
// CHECK-SAME:  (%[[A:.*]]: vector<16xf32>, %[[B:.*]]: vector<16xf32>)
// CHECK-NEXT:  %[[R:.*]] = llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"(%[[B]], %[[A]]) : (vector<16xf32>, vector<16xf32>) -> vector<32xbf16>
// CHECK-NEXT:  %[[P:.*]] = vector.shuffle %[[R]], %[[R]] [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31] : vector<32xbf16>, vector<32xbf16>
// CHECK-NEXT:  return %[[P]]
func.func @both(%a: vector<16xf32>, %b: vector<16xf32>) -> vector<32xbf16> {
  %0 = x86vector.avx512.cvt.packed.f32_to_bf16 %a : vector<16xf32> -> vector<16xbf16>
  %1 = x86vector.avx512.cvt.packed.f32_to_bf16 %b : vector<16xf32> -> vector<16xbf16>
  %2 = vector.interleave %0, %1 : vector<16xbf16> -> vector<32xbf16>
  return %2 : vector<32xbf16>
}

// A register with itself.
// CHECK-LABEL: func.func @same
// CHECK-SAME:  (%[[A:.*]]: vector<16xf32>)
// CHECK-NEXT:  llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"(%[[A]], %[[A]])
// CHECK-NOT:   x86vector
// CHECK:       return
func.func @same(%a: vector<16xf32>) -> vector<32xbf16> {
  %0 = x86vector.avx512.cvt.packed.f32_to_bf16 %a : vector<16xf32> -> vector<16xbf16>
  %1 = vector.interleave %0, %0 : vector<16xbf16> -> vector<32xbf16>
  return %1 : vector<32xbf16>
}

// Others stay: half a register, and one of which only one part is rounded here.
// CHECK-LABEL: func.func @others
// CHECK-NOT:   call_intrinsic
// CHECK:       return
func.func @others(%a: vector<8xf32>, %b: vector<16xf32>, %c: vector<16xbf16>) -> (vector<16xbf16>, vector<32xbf16>) {
  %0 = x86vector.avx512.cvt.packed.f32_to_bf16 %a : vector<8xf32> -> vector<8xbf16>
  %1 = vector.interleave %0, %0 : vector<8xbf16> -> vector<16xbf16>
  %2 = x86vector.avx512.cvt.packed.f32_to_bf16 %b : vector<16xf32> -> vector<16xbf16>
  %3 = vector.interleave %2, %c : vector<16xbf16> -> vector<32xbf16>
  return %1, %3 : vector<16xbf16>, vector<32xbf16>
}
