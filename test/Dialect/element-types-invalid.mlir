// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// Element types of a scan's sequences.

// scan_c5: one narrow type for all.
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @tokens(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xf16>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected v to have elements of type 'bf16' as k has, but got 'f16' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xf16>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @output(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected output 0 to have elements of type 'bf16' as k has, but got 'f32' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @output(%k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected output 0 to have elements of type 'f32' as k has, but got 'f16' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf16>) final(tensor<?x?x?x?xf32>)
  return
}

// -----

// scan_c5: scalars, parameters and states are never narrow.
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @scalars(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xbf16>, %w: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected g to have elements of type 'f32', but got 'bf16' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xbf16>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @param(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xbf16>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected w to have elements of type 'f32', but got 'bf16' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) param(tensor<?x?xbf16>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xf32>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @initial(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>, %S: tensor<?x?x?x?xbf16>) {
  // expected-error @below {{expected initial state S to have elements of type 'f32', but got 'bf16' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xbf16>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xbf16>)
  return
}

// -----

qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @final(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected final state S to have elements of type 'f32', but got 'bf16' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xbf16>)
  return
}

// -----

// scan_c5: any other type is the recurrence's.
qdelta.recurrence @step(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) param(%w: tensor<?xf32>) {
  %0 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %1 = qdelta.read %0 at %w : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
func.func @wide(%k: tensor<?x?x?x?xf64>, %v: tensor<?x?x?x?xf32>, %g: tensor<?x?x?xf32>, %w: tensor<?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected k to have elements of type 'f32', or bf16 or f16, but got 'f64' /*scan_c5*/}}
  %o, %f = qdelta.scan @step(%k, %v, %g) param(%w) init(%S)
    : (tensor<?x?x?x?xf64>, tensor<?x?x?x?xf32>, tensor<?x?x?xf32>) param(tensor<?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>)
  return
}

// -----

// affine_scan_c4
func.func @tokens(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xf16>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected v to have elements of type 'bf16' as k has, but got 'f16' /*affine_scan_c4*/}}
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xf16>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    qdelta.affine_write 0 key %tk value (%tg) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tg) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}

// -----

func.func @output(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected output 0 to have elements of type 'bf16' as k has, but got 'f16' /*affine_scan_c4*/}}
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf16>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    qdelta.affine_write 0 key %tk value (%tg) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tg) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}

// -----

func.func @scalars(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xbf16>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected g to have elements of type 'f32', but got 'bf16' /*affine_scan_c4*/}}
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xbf16>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    qdelta.affine_write 0 key %tk value (%tg) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tg) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}

// -----

func.func @initial(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xbf16>) {
  // expected-error @below {{expected initial state 0 to have elements of type 'f32', but got 'bf16' /*affine_scan_c4*/}}
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xbf16>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    qdelta.affine_write 0 key %tk value (%tg) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tg) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}

// -----

func.func @final(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected final state 0 to have elements of type 'f32', but got 'bf16' /*affine_scan_c4*/}}
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xbf16>) final(tensor<?x?x?x?xbf16>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    qdelta.affine_write 0 key %tk value (%tg) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tg) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}

// -----

func.func @wide(%k: tensor<?x?x?x?xf64>, %v: tensor<?x?x?x?xf32>, %g: tensor<?x?x?xf32>, %S: tensor<?x?x?x?xf32>) {
  // expected-error @below {{expected k to have elements of type 'f32', or bf16 or f16, but got 'f64' /*affine_scan_c4*/}}
  %o, %f = qdelta.affine_scan(%k, %v, %g) init(%S)
    attributes {arg_names = ["k", "v", "g"], facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [false], bounded = false>}
    : (tensor<?x?x?x?xf64>, tensor<?x?x?x?xf32>, tensor<?x?x?xf32>) init(tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?x?xf32>) {
  ^bb0(%tk: tensor<?xf32>, %tv: tensor<?xf32>, %tg: f32):
    qdelta.affine_write 0 key %tk value (%tg) * (%tv) : tensor<?xf32>, (f32) * (tensor<?xf32>)
    qdelta.affine_output(%tg) * (%tv) : (f32) * (tensor<?xf32>)
    qdelta.affine_end
  }
  return
}
