// RUN: qdelta-opt %s -split-input-file \
// RUN:   -pass-pipeline='builtin.module(qdelta-to-recurrence{key=20 value=36 dtype=bf16},qdelta-to-affine,qdelta-select-schedule{target=sm_80})' | FileCheck %s
// RUN: qdelta-opt %s -split-input-file -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(qdelta-to-recurrence{key=20 value=36},qdelta-to-affine,qdelta-select-schedule{target=sm_80},qdelta-check-derivation)'
// RUN: qdelta-opt %s -split-input-file \
// RUN:   -pass-pipeline='builtin.module(qdelta-to-recurrence{key=20 value=36},qdelta-to-affine,qdelta-select-schedule{target=sm_80 mode=recurrent})' | FileCheck %s --check-prefix=LOOP

// A key that the step makes, and a value made with a parameter, are a prescan's work
// when the list runs in chunks; a token loop makes them itself.

// CHECK-LABEL: func.func @made_forward(
// CHECK:         %[[MADE:.*]]:2 = qdelta.prescan heads %{{[a-z0-9]+}}(%{{[a-z0-9]+}}, %{{[a-z0-9]+}}) param(%{{[a-z0-9]+}})
// CHECK-SAME:      -> (tensor<?x?x?x20xf32>, tensor<?x?x?x36xf32>)
// CHECK:           math.exp
// CHECK:           arith.mulf
// CHECK:           qdelta.prescan_yield
// CHECK:         qdelta.affine_scan(%{{[a-z0-9]+}}, %[[MADE]]#0, %[[MADE]]#1) init(
// CHECK:         ^bb0(%[[K:.*]]: tensor<?xf32>, %[[KEY:.*]]: tensor<?xf32>, %[[VALUE:.*]]: tensor<?xf32>):
// CHECK:           qdelta.affine_write 0 key %[[KEY]] value ({{.*}}) * (%[[VALUE]])
// CHECK:           qdelta.affine_read 0 at ({{.*}}) * (%[[K]])
// LOOP-LABEL: func.func @made_forward(
// LOOP-NOT:     qdelta.prescan
qdelta.recurrence @made(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) param(%bias: tensor<?xf32>) {
  %e = math.exp %k : tensor<?xf32>
  %w = arith.mulf %v, %bias : tensor<?xf32>
  %Sw = qdelta.write %S key %e value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// A parameter that is read at is a sequence of itself.

// CHECK-LABEL: func.func @parameter_forward(
// CHECK:         %[[MADE:.*]] = qdelta.prescan heads %{{.*}}({{.*}}) param(%{{.*}})
// CHECK:         ^bb0(%{{.*}}: tensor<?xf32>, %[[J:.*]]: tensor<?xf32>):
// CHECK-NEXT:      qdelta.prescan_yield %[[J]]
// CHECK:         qdelta.affine_scan(
qdelta.recurrence @parameter(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) param(%j: tensor<?xf32>) {
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %j : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// What is an input already stays.

// CHECK-LABEL: func.func @input_forward(
// CHECK-NOT:     qdelta.prescan
qdelta.recurrence @input(state %S: tensor<?x?xf32>) token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %w = arith.addf %v, %v : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
