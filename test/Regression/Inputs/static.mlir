qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
func.func @forward(%k: tensor<2xTx1x4xf32>, %v: tensor<2xTx2x8xf32>, %S: tensor<2x2x4x8xf32>)
    -> (tensor<2xTx2x8xf32>, tensor<2x2x4x8xf32>) {
  %o, %f = qdelta.scan @step(%k, %v) init(%S)
    : (tensor<2xTx1x4xf32>, tensor<2xTx2x8xf32>) init(tensor<2x2x4x8xf32>) -> (tensor<2xTx2x8xf32>) final(tensor<2x2x4x8xf32>)
  return %o, %f : tensor<2xTx2x8xf32>, tensor<2x2x4x8xf32>
}
