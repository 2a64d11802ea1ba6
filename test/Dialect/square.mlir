// RUN: qdelta-opt %s | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -mlir-print-op-generic | qdelta-opt | FileCheck %s
// RUN: qdelta-opt %s -qdelta-specialize="key=5 value=7" | FileCheck %s --check-prefix=SIZES

// A state that is K x K: what is read from it is a key vector, and an output may be.

// CHECK: qdelta.recurrence @both(state %P: tensor<?x?xf32> {qdelta.square}, %Q: tensor<?x?xf32>)
// SIZES: func.func @both_forward(%{{.*}}: tensor<?x?x?x5xf32>, %{{.*}}: tensor<?x?x?x7xf32>, %{{.*}}: tensor<?x?x5x5xf32>, %{{.*}}: tensor<?x?x5x7xf32>)
// SIZES-SAME: -> (tensor<?x?x?x5xf32>, tensor<?x?x?x7xf32>, tensor<?x?x5x5xf32>, tensor<?x?x5x7xf32>)
qdelta.recurrence @both(state %P: tensor<?x?xf32> {qdelta.square}, %Q: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %0 = qdelta.read %P at %k : tensor<?x?xf32>, tensor<?xf32>
  %1 = arith.addf %0, %k : tensor<?xf32>
  %2 = qdelta.write %P key %k value %1 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %3 = qdelta.write %Q key %0 value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %4 = qdelta.read %3 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %2, %3 : tensor<?x?xf32>, tensor<?x?xf32> out %0, %4 : tensor<?xf32>, tensor<?xf32>
}
