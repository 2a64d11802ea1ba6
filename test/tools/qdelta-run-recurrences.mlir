// Several recurrences in a file, two outputs, sizes fixed by types, and a
// function that is not what it should be.

// RUN: not qdelta-run %s --shape B=1,T=4,H=1,V=3 --engine=reference 2>&1 | FileCheck %s --check-prefix=SEVERAL
// SEVERAL: error: the module has several recurrences (sum, twice); choose one with --recurrence
// RUN: not qdelta-run %s --recurrence=half --shape B=1,T=4,H=1,V=3 --engine=reference 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: unknown recurrence half; the module has sum, twice

// RUN: qdelta-run %s --recurrence=sum --shape B=1,T=4,H=1,V=3 --engine=reference | FileCheck %s --check-prefix=SUM
// RUN: qdelta-run %s --function=sum --shape B=1,T=4,H=1,V=3 --engine=reference | FileCheck %s --check-prefix=SUM
// SUM: sum on reference, B=1, T=4, H=1, HV=1, K=5, V=3
// SUM-NEXT: o1 [1, 4, 1, 3] rms
// SUM-NEXT: o2 [1, 4, 1, 3] rms
// SUM-NEXT: S_final [1, 1, 5, 3] rms

// RUN: qdelta-run %s --recurrence=sum --function=good --shape B=1,T=4,H=1,V=3 --engine=reference --check-against=reference
// RUN: not qdelta-run %s --recurrence=sum --function=bad --shape B=1,T=4,H=1,V=3 --engine=reference --check-against=reference 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: sh -c 'qdelta-run %s --recurrence=sum --function=bad --shape B=1,T=4,H=1,V=3 --engine=reference --check-against=reference > %t 2>&1; test $? -eq 2'
// WRONG: o1 {{.*}} wrong
// WRONG: o2 {{.*}} wrong
// WRONG: S_final {{.*}} wrong
// WRONG: error: reference differs from reference by more than the error of f32 allows

// RUN: not qdelta-run %s --recurrence=sum --shape B=1,T=4,H=1,K=6,V=3 --engine=reference 2>&1 | FileCheck %s --check-prefix=FIXED
// FIXED: error: expected @sum to have K = 6 as --shape has, but got 5

qdelta.recurrence @sum(state %S: tensor<5x?xf32>)
    token(%k: tensor<5xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<5x?xf32>, tensor<5xf32>, tensor<?xf32>
  %before = qdelta.read %S at %k : tensor<5x?xf32>, tensor<5xf32>
  %after = qdelta.read %Sw at %k : tensor<5x?xf32>, tensor<5xf32>
  qdelta.yield state %Sw : tensor<5x?xf32> out %before, %after : tensor<?xf32>, tensor<?xf32>
}

qdelta.recurrence @twice(state %S: tensor<5x?xf32>)
    token(%k: tensor<5xf32>, %v: tensor<?xf32>) {
  %S1 = qdelta.write %S key %k value %v : tensor<5x?xf32>, tensor<5xf32>, tensor<?xf32>
  %S2 = qdelta.write %S1 key %k value %v : tensor<5x?xf32>, tensor<5xf32>, tensor<?xf32>
  %before = qdelta.read %S at %k : tensor<5x?xf32>, tensor<5xf32>
  %after = qdelta.read %S2 at %k : tensor<5x?xf32>, tensor<5xf32>
  qdelta.yield state %S2 : tensor<5x?xf32> out %before, %after : tensor<?xf32>, tensor<?xf32>
}

func.func @good(%k: tensor<?x?x?x5xf32>, %v: tensor<?x?x?x?xf32>, %S: tensor<?x?x5x?xf32>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x5x?xf32>) {
  %o:2, %f = qdelta.scan @sum(%k, %v) init(%S)
      : (tensor<?x?x?x5xf32>, tensor<?x?x?x?xf32>) init(tensor<?x?x5x?xf32>)
      -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) final(tensor<?x?x5x?xf32>)
  return %o#0, %o#1, %f : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x5x?xf32>
}

func.func @bad(%k: tensor<?x?x?x5xf32>, %v: tensor<?x?x?x?xf32>, %S: tensor<?x?x5x?xf32>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x5x?xf32>) {
  %o:2, %f = qdelta.scan @twice(%k, %v) init(%S)
      : (tensor<?x?x?x5xf32>, tensor<?x?x?x?xf32>) init(tensor<?x?x5x?xf32>)
      -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) final(tensor<?x?x5x?xf32>)
  return %o#0, %o#1, %f : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x5x?xf32>
}
