// RUN: qdelta-opt %s -split-input-file -verify-diagnostics --mlir-print-op-on-diagnostic=false -qdelta-prescan-to-gpu

#warp = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 32, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true>
func.func @constant(%heads: index, %k: tensor<?x?x?x2xf32>) -> tensor<?x?x?x2xf32> {
  %o = qdelta.prescan heads %heads(%k) attributes {arg_names = ["k"], schedule = #warp} : (tensor<?x?x?x2xf32>) -> (tensor<?x?x?x2xf32>) {
  ^bb0(%tk: tensor<2xf32>):
    // expected-error @below {{is not lowered for GPUs yet: expected entries that are all the same}}
    %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %m = arith.mulf %c, %tk : tensor<2xf32>
    qdelta.prescan_yield %m : tensor<2xf32>
  }
  return %o : tensor<?x?x?x2xf32>
}

// -----

#warp = #qdelta.schedule<target = "sm_80", chunk = 1, columns = 32, span = 32, lanes = 1, unroll = false, fuse = false, defer = false, prefetch = false, kernel = true>
func.func @more(%heads: index, %k: tensor<?x?x?x2xf32>, %v: tensor<?x?x?x2xf32>) -> tensor<?x?x?x2xf32> {
  // expected-error @below {{expected a function that is nothing but the prescan, over its own arguments in order}}
  %o = qdelta.prescan heads %heads(%v, %k) attributes {arg_names = ["v", "k"], schedule = #warp}
    : (tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>) -> (tensor<?x?x?x2xf32>) {
  ^bb0(%tv: tensor<?xf32>, %tk: tensor<?xf32>):
    %m = arith.mulf %tv, %tk : tensor<?xf32>
    qdelta.prescan_yield %m : tensor<?xf32>
  }
  return %o : tensor<?x?x?x2xf32>
}
