// RUN: qdelta-opt %s -qdelta-expand-math | FileCheck %s

// Functions of vectors become polynomials of multiply-adds. Those of scalars
// stay, and so do those of recurrences.

// CHECK-LABEL: func.func @scalar(
// CHECK-NEXT:  math.exp %{{.*}} : f32
// CHECK-NEXT:  return
func.func @scalar(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @vector(
// CHECK-NOT:   math.{{exp|tanh|log}}
// CHECK:       math.fma {{.*}} : vector<8xf32>
// CHECK-NOT:   math.{{exp|tanh|log}}
// CHECK:       return
func.func @vector(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.exp %x : vector<8xf32>
  %1 = math.tanh %0 : vector<8xf32>
  %2 = math.log %1 : vector<8xf32>
  return %2 : vector<8xf32>
}

// e^x needs no conversion to integers: 2^(n-1) comes from the bits of a sum.

// CHECK-LABEL: func.func @power(
// CHECK-SAME:  %[[X:.*]]: vector<8xf32>
// CHECK:       %[[ROUNDED:.*]] = math.fma
// CHECK:       %[[BITS:.*]] = arith.bitcast %[[ROUNDED]] : vector<8xf32> to vector<8xi32>
// CHECK:       %[[POWER:.*]] = arith.shli %[[BITS]], %{{.*}} : vector<8xi32>
// CHECK-NOT:   arith.fptosi
// CHECK:       return
func.func @power(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.exp %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// Numbers without an exponent of their own take a longer way, without a call.

// CHECK-LABEL: func.func @log(
// CHECK:       %[[RARE:.*]] = arith.cmpi uge, {{.*}} : vector<8xi32>
// CHECK:       %[[ANY:.*]] = vector.reduction <or>, %[[RARE]] : vector<8xi1> into i1
// CHECK:       scf.if %[[ANY]] -> (vector<8xf32>)
// CHECK-NOT:   math.{{log|log1p}}
// CHECK:         %[[LANES:.*]] = arith.select %[[RARE]],
// CHECK-NEXT:    scf.yield %[[LANES]]
// CHECK-NOT:   math.{{log|log1p}}
// CHECK:       return
func.func @log(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  %0 = math.log %x : vector<8xf32>
  %1 = math.log1p %x : vector<8xf32>
  return %0, %1 : vector<8xf32>, vector<8xf32>
}

// The ops that make a number tell that it is within 0.41 of 0: no power of two, and
// its factor goes into the coefficients.

// CHECK-LABEL: func.func @share(
// CHECK:       %[[PART:.*]] = arith.divf
// CHECK:       math.fma %{{.*}}, %[[PART]], %{{.*}} : vector<8xf32>
// CHECK-NOT:   arith.{{select|shli}}
// CHECK:       return
func.func @share(%x: vector<8xf32>) -> vector<8xf32> {
  %ones = arith.constant dense<1.0> : vector<8xf32>
  %slope = arith.constant dense<-0.4> : vector<8xf32>
  %size = math.absf %x : vector<8xf32>
  %more = arith.addf %size, %ones : vector<8xf32>
  %part = arith.divf %x, %more : vector<8xf32>
  %scaled = arith.mulf %part, %slope : vector<8xf32>
  %0 = math.exp %scaled : vector<8xf32>
  return %0 : vector<8xf32>
}

// One half too much, another number's size, or a number less than it: not.

// CHECK-LABEL: func.func @no_share(
// CHECK-COUNT-3: arith.shli
// CHECK:       return
func.func @no_share(%x: vector<8xf32>, %y: vector<8xf32>)
    -> (vector<8xf32>, vector<8xf32>, vector<8xf32>) {
  %ones = arith.constant dense<1.0> : vector<8xf32>
  %below = arith.constant dense<-1.0> : vector<8xf32>
  %slope = arith.constant dense<-0.4> : vector<8xf32>
  %half = arith.constant dense<0.5> : vector<8xf32>
  %size = math.absf %x : vector<8xf32>
  %more = arith.addf %size, %ones : vector<8xf32>
  %part = arith.divf %x, %more : vector<8xf32>
  %far = arith.mulf %part, %half : vector<8xf32>
  %0 = math.exp %far : vector<8xf32>
  %other = arith.divf %y, %more : vector<8xf32>
  %scaled = arith.mulf %other, %slope : vector<8xf32>
  %1 = math.exp %scaled : vector<8xf32>
  %less = arith.addf %size, %below : vector<8xf32>
  %pole = arith.divf %x, %less : vector<8xf32>
  %large = arith.mulf %pole, %slope : vector<8xf32>
  %2 = math.exp %large : vector<8xf32>
  return %0, %1, %2 : vector<8xf32>, vector<8xf32>, vector<8xf32>
}

// log(1 + x) of numbers from 0 to 1 has no longer way.

// CHECK-LABEL: func.func @above(
// CHECK-NOT:   scf.if
// CHECK:       return
func.func @above(%x: vector<8xf32>) -> vector<8xf32> {
  %size = math.absf %x : vector<8xf32>
  %less = arith.negf %size : vector<8xf32>
  %exp = math.exp %less : vector<8xf32>
  %0 = math.log1p %exp : vector<8xf32>
  return %0 : vector<8xf32>
}

// The sine and the cosine of a number have their argument reduced once; large
// numbers lane by lane.

// CHECK-LABEL: func.func @turn(
// CHECK:       scf.if %{{.*}} -> (vector<8xf32>, vector<8xi32>)
// CHECK:         scf.for
// CHECK:           vector.extract %{{.*}} : f32 from vector<8xf32>
// CHECK-NOT:   scf.if
// CHECK-NOT:   math.{{sin|cos}}
// CHECK:       return
func.func @turn(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  %0 = math.cos %x : vector<8xf32>
  %1 = math.sin %x : vector<8xf32>
  return %0, %1 : vector<8xf32>, vector<8xf32>
}

// CHECK-LABEL: qdelta.recurrence @f
// CHECK:       math.tanh
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  %0 = math.tanh %v : tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %0 : tensor<?xf32>
}
