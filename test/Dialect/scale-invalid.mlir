// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// scale_c1
func.func @scale(%x: tensor<2x8xf32>, %s: tensor<8xf32>) {
  // expected-error @below {{expected a factor with the shape of 'tensor<2x8xf32>' less its last dimension, but got 'tensor<8xf32>' /*scale_c1*/}}
  %0 = qdelta.scale %x by %s : tensor<2x8xf32>, tensor<8xf32>
  return
}

// -----

// scale_c1
func.func @scale(%x: tensor<2x8xf32>, %s: f32) {
  // expected-error @below {{expected a factor with the shape of 'tensor<2x8xf32>' less its last dimension, but got 'f32' /*scale_c1*/}}
  %0 = qdelta.scale %x by %s : tensor<2x8xf32>, f32
  return
}

// -----

// scale_c1
func.func @scale(%x: tensor<f32>, %s: f32) {
  // expected-error @below {{less its last dimension, but got 'f32' /*scale_c1*/}}
  %0 = qdelta.scale %x by %s : tensor<f32>, f32
  return
}
