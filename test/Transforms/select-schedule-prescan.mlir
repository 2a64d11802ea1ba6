// RUN: qdelta-opt %s -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false -qdelta-select-schedule="target=sm_80" | FileCheck %s

// Windows: the second holds what the first held, and so reaches two tokens back. A
// value made of the first stands before the op that advances it.

// CHECK-LABEL: func.func @windows(
// CHECK:         span = 32
// CHECK-SAME:    kernel = true
func.func @windows(%heads: index, %k: tensor<?x?x?x4xf32>, %a: tensor<?x?x4xf32>, %b: tensor<?x?x4xf32>)
    -> (tensor<?x?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>) {
  %o, %f, %g = qdelta.prescan heads %heads(%k) init(%a, %b) attributes {arg_names = ["k", "a", "b"]}
    : (tensor<?x?x?x4xf32>) init(tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4xf32>, tensor<?x?x4xf32>) {
  ^bb0(%tk: tensor<?xf32>, %ta: tensor<?xf32>, %tb: tensor<?xf32>):
    %s = arith.addf %ta, %tk : tensor<?xf32>
    %na = qdelta.advance set %ta with %tk : tensor<?xf32> : tensor<?xf32>
    %nb = qdelta.advance set %tb with %s : tensor<?xf32> : tensor<?xf32>
    qdelta.prescan_yield %tb : tensor<?xf32>
  }
  return %o, %f, %g : tensor<?x?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>
}

// A state that is carried on makes tokens wait for one another.

// CHECK-LABEL: func.func @carried(
// CHECK:         span = 1,
// CHECK-SAME:    kernel = true
func.func @carried(%heads: index, %k: tensor<?x?x?x4xf32>, %z: tensor<?x?x4xf32>) -> (tensor<?x?x?x4xf32>, tensor<?x?x4xf32>) {
  %o, %f = qdelta.prescan heads %heads(%k) init(%z) attributes {arg_names = ["k", "z"]}
    : (tensor<?x?x?x4xf32>) init(tensor<?x?x4xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tz: tensor<?xf32>):
    %n = qdelta.advance affine %tz with %tk : tensor<?xf32> : tensor<?xf32>
    qdelta.prescan_yield %n : tensor<?xf32>
  }
  return %o, %f : tensor<?x?x?x4xf32>, tensor<?x?x4xf32>
}

// -----

func.func @wide(%heads: index, %k: tensor<?x?x?x4xf64>) -> tensor<?x?x?x4xf64> {
  // expected-error @below {{kernels for GPUs compute in f32, but this prescan has an argument in 'f64'}}
  %o = qdelta.prescan heads %heads(%k) attributes {arg_names = ["k"]} : (tensor<?x?x?x4xf64>) -> (tensor<?x?x?x4xf64>) {
  ^bb0(%tk: tensor<?xf64>):
    qdelta.prescan_yield %tk : tensor<?xf64>
  }
  return %o : tensor<?x?x?x4xf64>
}

// -----

func.func @empty(%heads: index, %k: tensor<?x?x?x0xf32>) -> tensor<?x?x?x0xf32> {
  // expected-error @below {{there is nothing to compute for an operand that is always empty: 'tensor<?x?x?x0xf32>'}}
  %o = qdelta.prescan heads %heads(%k) attributes {arg_names = ["k"]} : (tensor<?x?x?x0xf32>) -> (tensor<?x?x?x0xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    qdelta.prescan_yield %tk : tensor<?xf32>
  }
  return %o : tensor<?x?x?x0xf32>
}

// -----

func.func @dynamic(%heads: index, %k: tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32> {
  // expected-error @below {{a schedule needs static key and value dimensions, but got 'tensor<?x?x?x?xf32>'; -qdelta-specialize fixes them}}
  %o = qdelta.prescan heads %heads(%k) attributes {arg_names = ["k"]} : (tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>):
    qdelta.prescan_yield %tk : tensor<?xf32>
  }
  return %o : tensor<?x?x?x?xf32>
}
