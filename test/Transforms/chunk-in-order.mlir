// Mixes of states that decay per key or value channel: one token, entry by entry.
// RUN: qdelta-opt %s -split-input-file "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=8},qdelta-to-affine,qdelta-to-chunked{target=avx2})" | FileCheck %s --check-prefix=CHUNK
// RUN: qdelta-opt %s -split-input-file "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=8},qdelta-to-affine,qdelta-to-chunked{target=avx2},qdelta-to-linalg)" | FileCheck %s --check-prefix=ROWS
// RUN: not qdelta-opt %s -split-input-file "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=8},qdelta-to-affine,qdelta-to-chunked{chunk=2})" 2>&1 | FileCheck %s --check-prefix=LONG
// RUN: not qdelta-opt %s -split-input-file "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=4 value=8},qdelta-to-affine,qdelta-to-chunked{mode=chunked engine=scalar})" 2>&1 | FileCheck %s --check-prefix=MODE
// LONG: error: chunks of several tokens cover mixes of states that decay as a whole: with decays per key or value channel, expected chunk = 1 and mode = auto or recurrent, but got 2 and auto
// MODE: error: chunks of several tokens cover mixes of states that decay as a whole: with decays per key or value channel, expected chunk = 1 and mode = auto or recurrent, but got 0 and chunked

// The write to M waits for what is read of S. Before it stands one pass, behind it
// another one; there is no Gram matrix, no system and no reading ahead.
// CHUNK-LABEL: func.func @keys_forward
// CHUNK-NOT: qdelta.chunk_gram
// CHUNK-NOT: qdelta.chunk_transfer
// CHUNK: %[[SD:.*]] = qdelta.chunk_update %{{.*}} channels %{{.*}} keys()
// CHUNK-NEXT: %[[SR:.*]], %[[Y:.*]] = qdelta.chunk_update %[[SD]] decay %{{.*}} reads(%{{.*}})
// CHUNK: arith.addf
// CHUNK: %[[MW:.*]] = qdelta.chunk_update %{{.*}} decay %{{.*}} keys(%{{.*}}) values(%{{.*}})
// CHUNK-NEXT: %[[SM:.*]] = qdelta.chunk_update %[[SR]] decay %{{.*}} with(%[[MW]])
// CHUNK-NEXT: qdelta.chunk_update %[[SM]] decay %{{.*}} reads(
// CHUNK-NOT: qdelta.chunk_update
// ROWS-LABEL: func.func @keys_forward
// ROWS: %[[OF_KEY:.*]] = tensor.extract %{{.*}}[%c0, %[[K:.*]]] : tensor<1x4xf32>
// ROWS-NEXT: %[[DECAY:.*]] = vector.broadcast %[[OF_KEY]] : f32 to vector<8xf32>
// ROWS-NEXT: arith.mulf %[[DECAY]], %{{.*}} : vector<8xf32>
qdelta.recurrence @keys(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>,
          %g: tensor<?xf32>, %eta: f32) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %Mw = qdelta.write %M key %k value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Sw = qdelta.mix %Sd with %Mw by %eta : tensor<?x?xf32>, f32
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw, %Mw : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// Nothing waits: one pass, with the factors of its columns.
// CHUNK-LABEL: func.func @values_forward
// CHUNK: %[[E:.*]] = math.exp %{{.*}} : tensor<1x8xf32>
// CHUNK: %[[MW:.*]] = qdelta.chunk_update {{.*}} keys(
// CHUNK-NEXT: %[[SD:.*]] = qdelta.chunk_update {{.*}} columns
// CHUNK-NEXT: %[[SM:.*]] = qdelta.chunk_update %[[SD]] decay %{{.*}} with(%[[MW]])
// CHUNK-NEXT: qdelta.chunk_update %[[SM]] decay %{{.*}} reads(
// ROWS-LABEL: func.func @values_forward
// ROWS: %[[COLUMNS:.*]] = math.exp %{{.*}} : vector<8xf32>
// ROWS: scf.for
// ROWS: arith.mulf %{{.*}}, %[[COLUMNS]] : vector<8xf32>
qdelta.recurrence @values(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>,
          %h: tensor<?xf32>, %eta: f32) {
  %Mw = qdelta.write %M key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %Sd = qdelta.decay_values %S by %h : tensor<?x?xf32>, tensor<?xf32>
  %Sm = qdelta.mix %Sd with %Mw by %eta : tensor<?x?xf32>, f32
  %y = qdelta.read %Sm at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sm, %Mw : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}
