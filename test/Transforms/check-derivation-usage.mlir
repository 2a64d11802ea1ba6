// RUN: qdelta-opt %s -split-input-file -verify-diagnostics -qdelta-check-derivation

// What the check needs of a module and says when it is not there.

// expected-error @below {{nothing to check: no function derived from a qdelta.recurrence}}
module {
}

// -----

// expected-error @below {{expected qdelta.recurrence to name a qdelta.recurrence of the module}}
func.func @missing() attributes {qdelta.recurrence = @nowhere} {
  return
}

// -----

qdelta.recurrence @additive(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// expected-error @below {{takes 1 arguments, but a scan of @additive takes 4}}
func.func @count(%S: tensor<?x?x?x?xf32>) attributes {qdelta.recurrence = @additive} {
  return
}

// expected-error @below {{expected argument 2 to be a tensor of rank 4 for a scan of @additive, but got 'tensor<?x?x?xf32>'}}
func.func @rank(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?xf32>,
    %S: tensor<?x?x?x?xf32>) attributes {qdelta.recurrence = @additive} {
  return
}

// expected-error @below {{returns 1 results, but a scan of @additive returns 2}}
func.func @results(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>,
    %S: tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32> attributes {qdelta.recurrence = @additive} {
  return %S : tensor<?x?x?x?xf32>
}

// expected-error @below {{expected output 0 to have shape [1, 0, 1, 1], but got [1, 1, 1, 1]}}
func.func @shape(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>,
    %S: tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
    attributes {qdelta.recurrence = @additive} {
  return %S, %S : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
}

// expected-error @below {{reference: unknown op 'math.cbrt' at loc(}}
func.func @unknown(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>,
    %S: tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
    attributes {qdelta.recurrence = @additive} {
  %o = math.cbrt %v : tensor<?x?x?x?xf32>
  return %o, %S : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
}

// -----

// expected-note @below {{the recurrence; B = 1, T = 1, H = 1, HV = 1, K = 1, V = 1, seed = 1}}
qdelta.recurrence @additive(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// expected-error @below {{derived form of @forgets differs from the recurrence at output 0 [0, 0, 0, 0], which was never computed}}
func.func @forgets(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>,
    %S: tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
    attributes {qdelta.recurrence = @additive} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %B = tensor.dim %v, %c0 : tensor<?x?x?x?xf32>
  %T = tensor.dim %v, %c1 : tensor<?x?x?x?xf32>
  %H = tensor.dim %S, %c1 : tensor<?x?x?x?xf32>
  %V = tensor.dim %v, %c3 : tensor<?x?x?x?xf32>
  %o = tensor.empty(%B, %T, %H, %V) : tensor<?x?x?x?xf32>
  return %o, %S : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
}
