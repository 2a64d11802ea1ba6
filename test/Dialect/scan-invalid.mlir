// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// The callee, counts and heads of a scan; scan-shapes-invalid.mlir has the rest.

func.func @nobody(%v: tensor<2x?x4x8xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected @nowhere to be a qdelta.recurrence}}
  %o, %f = qdelta.scan @nowhere(%v) init(%S) : (tensor<2x?x4x8xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// A function is not a recurrence.
func.func @itself(%v: tensor<2x?x4x8xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected @itself to be a qdelta.recurrence}}
  %o, %f = qdelta.scan @itself(%v) init(%S) : (tensor<2x?x4x8xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// scan_c1
// expected-note @below {{declared here}}
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @tokens(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{passes 2 token inputs but @step takes 3 /*scan_c1*/}}
  %o, %f = qdelta.scan @step(%k, %v) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// expected-note @below {{declared here}}
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @params(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{passes 0 parameters but @step takes 2 /*scan_c1*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// expected-note @below {{declared here}}
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @states(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{passes 2 initial states but @step takes 1 /*scan_c1*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S, %S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// expected-note @below {{declared here}}
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @finals(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{passes 2 final states but @step takes 1 /*scan_c1*/}}
  %o, %f:2 = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>)
  return
}

// -----

// expected-note @below {{declared here}}
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @outputs(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{passes 2 outputs but @step takes 1 /*scan_c1*/}}
  %o:2, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// scan_c4
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @three(%k: tensor<2x?x3x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected HV = 4 of initial state S to be a multiple of H = 3 of k /*scan_c4*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x3x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @more(%k: tensor<2x?x8x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected HV = 4 of initial state S to be a multiple of H = 8 of k /*scan_c4*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x8x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @values(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x3x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected HV = 4 of initial state S to be a multiple of H = 3 of v /*scan_c4*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x3x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @none(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x0xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected HV = 4 of initial state S to be a multiple of H = 0 of g /*scan_c4*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x0xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}
