// RUN: not qdelta-opt %s -qdelta-specialize="key=-4" 2>&1 | FileCheck %s --check-prefix=KEY
// KEY: error: {{.*}}key{{.*}}-4
// RUN: not qdelta-opt %s -qdelta-specialize="value=-8" 2>&1 | FileCheck %s --check-prefix=VALUE
// VALUE: error: {{.*}}value{{.*}}-8
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
