// RUN: qdelta-opt %s -split-input-file -verify-diagnostics

// recurrence_c1
// expected-error @below {{expected names and attributes for each of the 3 arguments /*recurrence_c1*/}}
"qdelta.recurrence"() <{sym_name = "f", arg_names = ["S", "k"], arg_attrs = [{}, {}, {}], num_states = 1 : i64, num_tokens = 2 : i64}> ({
^bb0(%S: tensor<?x?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>):
  "qdelta.yield"(%S, %v) <{operandSegmentSizes = array<i32: 1, 1>}> : (tensor<?x?xf32>, tensor<?xf32>) -> ()
}) : () -> ()

// -----

// recurrence_c1: more states and tokens than arguments.
// expected-error @below {{expected names and attributes for each of the 2 arguments /*recurrence_c1*/}}
"qdelta.recurrence"() <{sym_name = "f", arg_names = ["S", "v"], arg_attrs = [{}, {}], num_states = 1 : i64, num_tokens = 2 : i64}> ({
^bb0(%S: tensor<?x?xf32>, %v: tensor<?xf32>):
  "qdelta.yield"(%S, %v) <{operandSegmentSizes = array<i32: 1, 1>}> : (tensor<?x?xf32>, tensor<?xf32>) -> ()
}) : () -> ()

// -----

// recurrence_c2
// expected-error @below {{expected state %S to be tensor<K x V>, a vector or a scalar, but got 'tensor<?x?x?xf32>' /*recurrence_c2*/}}
qdelta.recurrence @f(state %S: tensor<?x?x?xf32>) token(%v: tensor<?xf32>) {
  qdelta.yield state %S : tensor<?x?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c2
// expected-error @below {{expected state %s to be tensor<K x V>, a vector or a scalar, but got 'index' /*recurrence_c2*/}}
"qdelta.recurrence"() <{sym_name = "f", arg_names = ["s", "v"], arg_attrs = [{}, {}], num_states = 1 : i64, num_tokens = 1 : i64}> ({
^bb0(%s: index, %v: tensor<?xf32>):
  "qdelta.yield"(%v, %v) <{operandSegmentSizes = array<i32: 1, 1>}> : (tensor<?xf32>, tensor<?xf32>) -> ()
}) : () -> ()

// -----

// recurrence_c3
// expected-error @below {{expected %k to be a scalar or a vector, but got 'tensor<?x?xf32>' /*recurrence_c3*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?x?xf32>, %v: tensor<?xf32>) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c3: parameters too.
// expected-error @below {{expected %n to be a scalar or a vector, but got 'index' /*recurrence_c3*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) param(%n: index) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c4
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  // expected-error @below {{a state is used only by qdelta.decay, qdelta.decay_values, qdelta.read, qdelta.read_values, qdelta.write, qdelta.mix and qdelta.yield, but here by math.tanh /*recurrence_c4*/}}
  %0 = math.tanh %S : tensor<?x?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c5
// expected-error @below {{expected qdelta.unit on a vector, but %g is a scalar /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>, %g: f32 {qdelta.unit}) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c5
// expected-error @below {{expected %g to have {qdelta.unit}, {qdelta.log_decay} or {qdelta.range = [low, high]}, but got "qdelta.positive" /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>, %g: f32 {qdelta.positive}) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c5: a range has two ends, both floating-point.
// expected-error @below {{but got "qdelta.range" /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>, %g: f32 {qdelta.range = [0.0]}) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c5
// expected-error @below {{but got "qdelta.range" /*recurrence_c5*/}}
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>, %g: f32 {qdelta.range = [0, 1]}) {
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c6
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %S1 = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  // expected-error @below {{mixes a key vector [K] with a value vector [V] /*recurrence_c6*/}}
  %0 = arith.addf %k, %v : tensor<?xf32>
  qdelta.yield state %S1 : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// recurrence_c6: a readout is a value vector, wherever it is used.
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  // expected-error @below {{mixes a key vector [K] with a value vector [V] /*recurrence_c6*/}}
  %0 = arith.mulf %p, %k : tensor<?xf32>
  qdelta.yield state %S : tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// expected-error @below {{expected the step to end with qdelta.yield}}
"qdelta.recurrence"() <{sym_name = "f", arg_names = ["S"], arg_attrs = [{}], num_states = 1 : i64, num_tokens = 0 : i64}> ({
^bb0(%S: tensor<?x?xf32>):
  llvm.unreachable
}) : () -> ()

// -----

// expected-error @below {{attribute 'num_states' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
"qdelta.recurrence"() <{sym_name = "f", arg_names = ["v"], arg_attrs = [{}], num_states = 0 : i64, num_tokens = 1 : i64}> ({
^bb0(%v: tensor<?xf32>):
  "qdelta.yield"(%v) <{operandSegmentSizes = array<i32: 0, 1>}> : (tensor<?xf32>) -> ()
}) : () -> ()

// -----

// yield_c1
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  // expected-error @below {{yields 2 states but the recurrence has 1 /*yield_c1*/}}
  qdelta.yield state %S, %S : tensor<?x?xf32>, tensor<?x?xf32> out %v : tensor<?xf32>
}

// -----

// yield_c1
qdelta.recurrence @f(state %S: tensor<4x8xf32>, %Z: tensor<8x8xf32>) token(%v: tensor<?xf32>) {
  // expected-error @below {{expected state %S to be yielded as 'tensor<4x8xf32>', but got 'tensor<8x8xf32>' /*yield_c1*/}}
  qdelta.yield state %Z, %S : tensor<8x8xf32>, tensor<4x8xf32> out %v : tensor<?xf32>
}

// -----

// yield_c2
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%v: tensor<?xf32>) {
  // expected-error @below {{expected at least one output /*yield_c2*/}}
  "qdelta.yield"(%S) <{operandSegmentSizes = array<i32: 1, 0>}> : (tensor<?x?xf32>) -> ()
}

// -----

// decay_c1
qdelta.recurrence @f(state %S: tensor<4x8xf32>) token(%g: tensor<8xf32>, %v: tensor<8xf32>) {
  // expected-error @below {{expected g to have the state's key dimension 4, but got 8 /*decay_c1*/}}
  %0 = qdelta.decay %S by %g : tensor<4x8xf32>, tensor<8xf32>
  qdelta.yield state %0 : tensor<4x8xf32> out %v : tensor<8xf32>
}

// -----

// read_c1
qdelta.recurrence @f(state %S: tensor<4x8xf32>) token(%k: tensor<5xf32>) {
  // expected-error @below {{expected at to have the state's key dimension 4, but got 5 /*read_c1*/}}
  %0 = qdelta.read %S at %k : tensor<4x8xf32>, tensor<5xf32>
  qdelta.yield state %S : tensor<4x8xf32> out %0 : tensor<8xf32>
}

// -----

// write_c1
qdelta.recurrence @f(state %S: tensor<4x8xf32>) token(%k: tensor<5xf32>, %v: tensor<8xf32>) {
  // expected-error @below {{expected key to have the state's key dimension 4, but got 5 /*write_c1*/}}
  %0 = qdelta.write %S key %k value %v : tensor<4x8xf32>, tensor<5xf32>, tensor<8xf32>
  qdelta.yield state %0 : tensor<4x8xf32> out %v : tensor<8xf32>
}

// -----

// write_c2
qdelta.recurrence @f(state %S: tensor<4x8xf32>) token(%k: tensor<4xf32>, %v: tensor<9xf32>) {
  // expected-error @below {{expected value to have the state's value dimension 8, but got 9 /*write_c2*/}}
  %0 = qdelta.write %S key %k value %v : tensor<4x8xf32>, tensor<4xf32>, tensor<9xf32>
  qdelta.yield state %0 : tensor<4x8xf32> out %v : tensor<9xf32>
}

// -----

// The state of a read, decay or write is a matrix wherever the op stands.
func.func @rank(%S: tensor<4xf32>, %k: tensor<4xf32>) {
  // expected-error @below {{expected the state to be tensor<K x V>, but got 'tensor<4xf32>'}}
  %0 = qdelta.write %S key %k value %k : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @rank(%S: tensor<4xf32>, %k: tensor<4xf32>) {
  // expected-error @below {{expected the state to be tensor<K x V>, but got 'tensor<4xf32>'}}
  %0 = qdelta.read %S at %k : tensor<4xf32>, tensor<4xf32>
  return
}

// -----

// Element types: the dialect knows f32 and f64.
qdelta.recurrence @f(state %S: tensor<?x?xi32>) token(%v: tensor<?xf32>) {
  // expected-error @below {{op operand #0 must be}}
  qdelta.yield state %S : tensor<?x?xi32> out %v : tensor<?xf32>
}

// -----

// mix_c1
func.func @mix(%S: tensor<4xf32>, %M: tensor<4xf32>, %c: f32) {
  // expected-error @below {{expected two matrix states tensor<K x V>, but got 'tensor<4xf32>' /*mix_c1*/}}
  %0 = qdelta.mix %S with %M by %c : tensor<4xf32>, f32
  return
}

// -----

// mix_c1: one type.
func.func @mix(%S: tensor<4x8xf32>, %M: tensor<5x8xf32>, %c: f32) {
  // expected-error @below {{'qdelta.mix' op failed to verify that all of {state, source, result} have same type}}
  %0 = "qdelta.mix"(%S, %M, %c) : (tensor<4x8xf32>, tensor<5x8xf32>, f32) -> tensor<4x8xf32>
  return
}

// -----

// mix_c2
qdelta.recurrence @f(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %c: f32) {
  // expected-error @below {{expected two states, but got one twice /*mix_c2*/}}
  %0 = qdelta.mix %S with %S by %c : tensor<?x?xf32>, f32
  %1 = qdelta.read %0 at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %0 : tensor<?x?xf32> out %1 : tensor<?xf32>
}
