// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// Shapes of a scan, both sides of a mismatch named.

// scan_c2
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @token(%k: tensor<2x?x2xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected k to have shape [B, T, H, K], but got 'tensor<2x?x2xf32>' /*scan_c2*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @scalar(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4x1xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected g to have shape [B, T, H], but got 'tensor<2x?x4x1xf32>' /*scan_c2*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x1xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @scalar_param(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4x1xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected s to have shape [HV], but got 'tensor<4x1xf32>' /*scan_c2*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4x1xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @vector_param(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected w to have shape [HV, K], but got 'tensor<4xf32>' /*scan_c2*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @state(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<4x4x8xf32>) {
  // expected-error @below {{expected initial state S to have shape [B, HV, K, V], but got 'tensor<4x4x8xf32>' /*scan_c2*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @output(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected output 0 to have shape [B, T, HV, V], but got 'tensor<2x?x4xf32>' /*scan_c2*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

// scan_c3
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @key(%k: tensor<2x?x2x5xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected k to have K = 4 as initial state S has, but got 5 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x5xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @value(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x9xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected v to have V = 8 as initial state S has, but got 9 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x9xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @batch(%k: tensor<3x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected k to have B = 2 as initial state S has, but got 3 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<3x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @time(%k: tensor<2x16x2x4xf32>, %v: tensor<2x17x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected v to have T = 16 as k has, but got 17 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x16x2x4xf32>, tensor<2x17x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @heads(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<2xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected s to have HV = 4 as initial state S has, but got 2 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<2xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @param(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x3xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected w to have K = 4 as initial state S has, but got 3 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x3xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @final(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected final state S to have V = 8 as initial state S has, but got 9 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x4x8xf32>) final(tensor<2x4x4x9xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @output(%k: tensor<2x?x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected output 0 to have HV = 4 as initial state S has, but got 2 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x?x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x?x2x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%s: f32, %w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @output_time(%k: tensor<2x16x2x4xf32>, %v: tensor<2x?x4x8xf32>, %g: tensor<2x?x4xf32>, %s: tensor<4xf32>, %w: tensor<4x4xf32>, %S: tensor<2x4x4x8xf32>) {
  // expected-error @below {{expected output 0 to have T = 16 as k has, but got 15 /*scan_c3*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%s, %w) init(%S)
    : (tensor<2x16x2x4xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4xf32>) param(tensor<4xf32>, tensor<4x4xf32>) init(tensor<2x4x4x8xf32>) -> (tensor<2x15x4x8xf32>) final(tensor<2x4x4x8xf32>)
  return
}
