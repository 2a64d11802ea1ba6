// RUN: not qdelta-opt %s -qdelta-derive-affine -qdelta-select-schedule 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// DYNAMIC: error: a schedule needs static key and value dimensions, but got 'tensor<?x?x?x?xf32>'; -qdelta-specialize fixes them
// RUN: not qdelta-opt %s -qdelta-specialize="key=4" -qdelta-derive-affine -qdelta-select-schedule 2>&1 | FileCheck %s --check-prefix=VALUE
// VALUE: error: a schedule needs static key and value dimensions, but got 'tensor<?x?x4x?xf32>'
// RUN: not qdelta-opt %s -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="target=vax" 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: unknown target 'vax'; known are host, avx512bf16, avx512, avx2{{.*}}
// RUN: not qdelta-opt %s -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="mode=fast" 2>&1 | FileCheck %s --check-prefix=MODE
// MODE: error: unknown mode 'fast'; known are auto, recurrent, chunked
// RUN: not qdelta-opt %s -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="mode=recurrent chunk=2" 2>&1 | FileCheck %s --check-prefix=CHUNK
// CHUNK: error: mode = recurrent goes with chunk = 1, but got 2
// RUN: not qdelta-opt %s -qdelta-specialize="key=4 value=8" -qdelta-derive-affine -qdelta-select-schedule="chunk=-3" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: {{.*}}chunk{{.*}}-3
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
