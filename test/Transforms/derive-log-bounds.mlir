// The lower bound of a log decay per key channel, where the step shows one: of an
// argument by its range, of what the step makes by the ops between.

// RUN: qdelta-opt %s -split-input-file -qdelta-derive-affine | FileCheck %s
// RUN: qdelta-opt %s -split-input-file "--pass-pipeline=builtin.module(qdelta-to-recurrence{key=16 value=16},qdelta-to-affine,qdelta-to-chunked{target=sm_80})" | FileCheck %s --check-prefix=TILE

// CHECK-LABEL: @declared_forward
// CHECK:       qdelta.affine_decay 0 by %g {qdelta.log_lower = -5.000000e+00 : f64} : tensor<?xf32>
// TILE-LABEL:  @declared_forward
// TILE:        qdelta.mask_rows %{{.*}} by %{{.*}} {qdelta.log_lower = -5.000000e+00 : f64}
qdelta.recurrence @declared(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>,
          %g: tensor<?xf32> {qdelta.log_decay, qdelta.range = [-5.0, 1.0]}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// -inf is a log decay, too.
// CHECK-LABEL: @any_forward
// CHECK:       qdelta.affine_decay 0 by %g : tensor<?xf32>
// TILE-LABEL:  @any_forward
// TILE:        qdelta.mask_rows %{{.*}} by %{{[^ ]*}} :
qdelta.recurrence @any(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: tensor<?xf32> {qdelta.log_decay}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// Numbers that may be positive are no decays with a bound.
// CHECK-LABEL: @positive_forward
// CHECK:       qdelta.affine_decay 0 by %g : tensor<?xf32>
qdelta.recurrence @positive(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>,
          %g: tensor<?xf32> {qdelta.range = [-5.0, 0.5]}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// low / (1 + e^(-e^A x)), for any x.
// CHECK-LABEL: @safe_gate_forward
// CHECK:       qdelta.affine_decay 0 by %{{.*}} {qdelta.log_lower = -4.000000e+00 : f64}
qdelta.recurrence @safe_gate(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %x: tensor<?xf32>)
    param(%A: f32, %low: f32 {qdelta.range = [-4.0, -0.5]}) {
  %one = arith.constant 1.0 : f32
  %ones = qdelta.splat %one like %x : f32, tensor<?xf32>
  %rate = math.exp %A : f32
  %minus = arith.negf %rate : f32
  %xs = qdelta.scale %x by %minus : tensor<?xf32>, f32
  %xe = math.exp %xs : tensor<?xf32>
  %xb = arith.addf %xe, %ones : tensor<?xf32>
  %lows = qdelta.splat %low like %x : f32, tensor<?xf32>
  %g = arith.divf %lows, %xb : tensor<?xf32>
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %Sd key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// -e^A softplus(x) has no bound, unless x has: log1p(e^1) + 1 times e^0.
// CHECK-LABEL: @plain_gate_forward
// CHECK:       qdelta.affine_decay 0 by %{{.*}} : tensor<?xf32>
// CHECK:       qdelta.affine_decay 0 by %{{.*}} {qdelta.log_lower = -2.31326168{{.*}} : f64}
// CHECK:       qdelta.affine_decay 0 by %{{.*}} {qdelta.log_lower = -6.000000e+00 : f64}
qdelta.recurrence @plain_gate(state %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %x: tensor<?xf32>,
          %b: tensor<?xf32> {qdelta.range = [-2.0, 1.0]})
    param(%A: f32 {qdelta.range = [-1.0, 0.0]}) {
  %zero = arith.constant 0.0 : f32
  %six = arith.constant -6.0 : f32
  %zeros = qdelta.splat %zero like %x : f32, tensor<?xf32>
  %sixes = qdelta.splat %six like %x : f32, tensor<?xf32>
  %rate = math.exp %A : f32
  %minus = arith.negf %rate : f32
  %xe = math.exp %x : tensor<?xf32>
  %xl = math.log1p %xe : tensor<?xf32>
  %g = qdelta.scale %xl by %minus : tensor<?xf32>, f32
  %be = math.exp %b : tensor<?xf32>
  %bl = math.log1p %be : tensor<?xf32>
  %bm = arith.maximumf %b, %zeros : tensor<?xf32>
  %bs = arith.addf %bl, %bm : tensor<?xf32>
  %h = qdelta.scale %bs by %minus : tensor<?xf32>, f32
  %m = arith.maximumf %g, %sixes : tensor<?xf32>
  %S1 = qdelta.decay %S by %g : tensor<?x?xf32>, tensor<?xf32>
  %S2 = qdelta.decay %S1 by %h : tensor<?x?xf32>, tensor<?xf32>
  %S3 = qdelta.decay %S2 by %m : tensor<?x?xf32>, tensor<?xf32>
  %Sw = qdelta.write %S3 key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
