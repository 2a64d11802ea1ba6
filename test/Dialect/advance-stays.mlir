// RUN: qdelta-opt %s -cse -canonicalize | FileCheck %s

// A state advances whether or not the token uses its new value.

// CHECK: qdelta.prescan
// CHECK: qdelta.advance set
func.func @window(%heads: index, %k: tensor<?x?x?x4xf32>, %last: tensor<?x?x4xf32>) -> (tensor<?x?x?x4xf32>, tensor<?x?x4xf32>) {
  %o, %f = qdelta.prescan heads %heads(%k) init(%last) attributes {arg_names = ["k", "last"]}
    : (tensor<?x?x?x4xf32>) init(tensor<?x?x4xf32>) -> (tensor<?x?x?x4xf32>) final(tensor<?x?x4xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tl: tensor<?xf32>):
    %next = qdelta.advance set %tl with %tk : tensor<?xf32> : tensor<?xf32>
    %s = arith.addf %tk, %tl : tensor<?xf32>
    qdelta.prescan_yield %s : tensor<?xf32>
  }
  return %o, %f : tensor<?x?x?x4xf32>, tensor<?x?x4xf32>
}
