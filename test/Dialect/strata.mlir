// RUN: qdelta-opt %s | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -mlir-print-op-generic | qdelta-opt | FileCheck %s

// States of every rank, and what only a step with them needs.
// CHECK-LABEL: qdelta.recurrence @states
// CHECK-SAME:  (state %m: f32, %n: tensor<?xf32> {qdelta.range = [0.000000e+00, 1.000000e+00]}, %phi: tensor<?xf32>, %S: tensor<?x?xf32>)
// CHECK:       qdelta.max_plus %m decay %f input %i : f32, f32
// CHECK:       qdelta.decay %n by %f : tensor<?xf32>, f32
// CHECK:       qdelta.splat %i like %k : f32, tensor<?xf32>
// CHECK:       qdelta.rotate %q by %{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xf32>
// CHECK:       qdelta.dot %{{.*}}, %{{.*}} : tensor<?xf32> -> f32
// CHECK:       qdelta.mean %{{.*}} : tensor<?xf32> -> f32
qdelta.recurrence @states(state %m: f32, %n: tensor<?xf32> {qdelta.range = [0.0, 1.0]},
                                %phi: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %f: f32, %i: f32, %theta: tensor<?xf32>) {
  %m1 = qdelta.max_plus %m decay %f input %i : f32, f32
  %nd = qdelta.decay %n by %f : tensor<?xf32>, f32
  %is = qdelta.splat %i like %k : f32, tensor<?xf32>
  %n1 = arith.addf %nd, %is : tensor<?xf32>
  %p1 = arith.addf %phi, %theta : tensor<?xf32>
  %c = math.cos %p1 : tensor<?xf32>
  %s = math.sin %p1 : tensor<?xf32>
  %qr = qdelta.rotate %q by %c, %s : tensor<?xf32>, tensor<?xf32>
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %qr : tensor<?x?xf32>, tensor<?xf32>
  %d = qdelta.dot %qr, %n1 : tensor<?xf32> -> f32
  %a = qdelta.mean %y : tensor<?xf32> -> f32
  %da = arith.mulf %d, %a : f32
  %o = qdelta.scale %y by %da : tensor<?xf32>, f32
  qdelta.yield state %m1, %n1, %p1, %S1 : f32, tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}

// CHECK-LABEL: func.func @scan
// CHECK:       qdelta.scan @states
func.func @scan(%q: tensor<2x?x2x4xf32>, %v: tensor<2x?x2x3xf32>, %f: tensor<2x?x2xf32>, %t: tensor<2x?x1x2xf32>,
                %m: tensor<2x4xf32>, %n: tensor<2x4x4xf32>, %phi: tensor<2x4x2xf32>, %S: tensor<2x4x4x3xf32>) -> tensor<2x?x4x3xf32> {
  %o:5 = qdelta.scan @states(%q, %q, %v, %f, %f, %t) init(%m, %n, %phi, %S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x2x4xf32>, tensor<2x?x2x3xf32>, tensor<2x?x2xf32>, tensor<2x?x2xf32>, tensor<2x?x1x2xf32>)
      init(tensor<2x4xf32>, tensor<2x4x4xf32>, tensor<2x4x2xf32>, tensor<2x4x4x3xf32>)
      -> (tensor<2x?x4x3xf32>) final(tensor<2x4xf32>, tensor<2x4x4xf32>, tensor<2x4x2xf32>, tensor<2x4x4x3xf32>)
  return %o#0 : tensor<2x?x4x3xf32>
}

// CHECK-LABEL: func.func @prescan
// CHECK:       qdelta.prescan heads %{{.*}}(%{{.*}}, %{{.*}}) param(%{{.*}}) init(%{{.*}}, %{{.*}}, %{{.*}})
// CHECK:       ^bb0(%k: tensor<?xf32>, %g: f32, %w: tensor<?xf32>, %a: tensor<?xf32>, %b: tensor<?xf32>, %m: f32):
// CHECK:       qdelta.advance affine %a by %g : f32 with %k : tensor<?xf32> : tensor<?xf32>
// CHECK:       qdelta.advance set %b with %a : tensor<?xf32> : tensor<?xf32>
// CHECK:       qdelta.advance max_plus %m by %g : f32 with %g : f32 : f32
// CHECK:       qdelta.prescan_yield %{{.*}}, %{{.*}} : tensor<?xf32>, f32
func.func @prescan(%h: index, %k: tensor<?x?x?x?xf32>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>,
                   %a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>, %m: tensor<?x?xf32>) -> tensor<?x?x?x?xf32> {
  %r:5 = qdelta.prescan heads %h (%k, %g) param(%w) init(%a, %b, %m)
    attributes {arg_names = ["k", "g", "w", "a", "b", "m"]}
    : (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>)
      -> (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>) final(tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?xf32>) {
  ^bb0(%kt: tensor<?xf32>, %gt: f32, %wt: tensor<?xf32>, %at: tensor<?xf32>, %bt: tensor<?xf32>, %mt: f32):
    %a1 = qdelta.advance affine %at by %gt : f32 with %kt : tensor<?xf32> : tensor<?xf32>
    %b1 = qdelta.advance set %bt with %at : tensor<?xf32> : tensor<?xf32>
    %m1 = qdelta.advance max_plus %mt by %gt : f32 with %gt : f32 : f32
    %x = arith.mulf %a1, %wt : tensor<?xf32>
    qdelta.prescan_yield %x, %m1 : tensor<?xf32>, f32
  }
  return %r#0 : tensor<?x?x?x?xf32>
}

// Without states and parameters it is a map.
// CHECK-LABEL: func.func @map
// CHECK:       qdelta.prescan heads %{{.*}}(%{{.*}}) attributes
func.func @map(%h: index, %k: tensor<?x?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = qdelta.prescan heads %h (%k) attributes {arg_names = ["k"]}
    : (tensor<?x?x?x?xf32>) -> (tensor<?x?x?xf32>) {
  ^bb0(%kt: tensor<?xf32>):
    %x = qdelta.dot %kt, %kt : tensor<?xf32> -> f32
    qdelta.prescan_yield %x : f32
  }
  return %r : tensor<?x?x?xf32>
}
