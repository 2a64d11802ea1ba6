// RUN: qdelta-opt %s | FileCheck %s --check-prefixes=CHECK,OTHER,UNUSED
// CHECK-LABEL: func.func @f
// CHECK func.func @g
// CHECK-NEXT return
// OTHER-SAME arith.addf
// CHECK_NEXT: return
// OTHER: fine
// CHECKED by hand, says this comment.
