// RUN: qdelta-opt %s -split-input-file -qdelta-derive-affine | FileCheck %s

// A vector state before the list: the prescan has it, and all that is made of
// it; the list takes one sequence, the key.
// CHECK-LABEL: func.func @preconditioned_forward
// CHECK:       %[[HV:.*]] = tensor.dim %{{.*}}, %c1
// CHECK:       %[[P:.*]]:2 = qdelta.prescan heads %[[HV]](%{{[^,]*}}, %{{[^,]*}}) init(%{{[^)]*}})
// CHECK-SAME:    -> (tensor<?x?x?x?xf32>) final(tensor<?x?x?xf32>)
// CHECK-NEXT:  ^bb0(%k: tensor<?xf32>, %g: f32, %A: tensor<?xf32>)
// CHECK:         %[[F:.*]] = math.exp %g : f32
// CHECK:         %[[N:.*]] = qdelta.advance affine %A by %[[F]] : f32 with %k : tensor<?xf32> : tensor<?xf32>
// CHECK:         %[[E:.*]] = math.exp %[[N]]
// CHECK:         %[[K:.*]] = arith.mulf %[[E]], %k
// CHECK:         qdelta.prescan_yield %[[K]] : tensor<?xf32>
// CHECK:       %[[S:.*]]:2 = qdelta.affine_scan(%{{[^,]*}}, %{{[^,]*}}, %[[P]]#0) init
// CHECK-SAME:    facts = #qdelta.facts<decay = none, reads = 1, writes = 1, unknown = [true], bounded = false>
// CHECK:         qdelta.affine_write 0 key %made
// CHECK:       return %[[S]]#0, %[[P]]#1, %[[S]]#1
qdelta.recurrence @preconditioned(state %A: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) {
  %Ad = qdelta.decay %A by %g : tensor<?xf32>, f32
  %An = arith.addf %Ad, %k : tensor<?xf32>
  %e = math.exp %An : tensor<?xf32>
  %kt = arith.mulf %e, %k : tensor<?xf32>
  %p = qdelta.read %S at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %Sw = qdelta.write %S key %kt value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %An, %Sw : tensor<?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// Reductions before and after: what is linear is the list's, the rest a prescan
// of its own after it. A norm leaves as its factor, and the sum of two normalised
// keys is read at the bases k and q.
// CHECK-LABEL: func.func @norms_forward
// CHECK:       %[[P:.*]]:2 = qdelta.prescan
// CHECK:         qdelta.dot
// CHECK:         qdelta.dot
// CHECK:         qdelta.prescan_yield %{{.*}}, %{{.*}} : f32, f32
// CHECK:       %[[S:.*]]:2 = qdelta.affine_scan
// CHECK-SAME:    reads = 2, writes = 1
// CHECK:         qdelta.affine_read 0 at (%made, %{{.*}}) * (%k, %q)
// CHECK:         qdelta.affine_write 0 key %k
// CHECK:         qdelta.affine_output(%{{.*}}) * (%{{.*}}) : (f32) * (!qdelta.readout)
// CHECK:       %[[O:.*]] = qdelta.prescan heads %{{.*}}(%{{.*}}, %[[S]]#0)
// CHECK:         qdelta.mean
// CHECK:         math.tanh %z
// CHECK:       return %[[O]], %[[S]]#1
qdelta.recurrence @norms(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %z: tensor<?xf32>, %l: f32) {
  %qq = qdelta.dot %q, %q : tensor<?xf32> -> f32
  %qr = math.rsqrt %qq : f32
  %qn = qdelta.scale %q by %qr : tensor<?xf32>, f32
  %kk = qdelta.dot %k, %k : tensor<?xf32> -> f32
  %kr = math.rsqrt %kk : f32
  %kn = qdelta.scale %k by %kr : tensor<?xf32>, f32
  %lq = qdelta.scale %qn by %l : tensor<?xf32>, f32
  %x = arith.addf %kn, %lq : tensor<?xf32>
  %p = qdelta.read %S at %x : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %Sw = qdelta.write %S key %kn value %d : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %qn : tensor<?x?xf32>, tensor<?xf32>
  %yy = arith.mulf %y, %y : tensor<?xf32>
  %m = qdelta.mean %yy : tensor<?xf32> -> f32
  %yn = qdelta.scale %y by %m : tensor<?xf32>, f32
  %t = math.tanh %z : tensor<?xf32>
  %o = arith.mulf %yn, %t : tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}

// -----

// States that hold the last tokens: a value before them, not a factor of 0.
// CHECK-LABEL: func.func @convolution_forward
// CHECK:       qdelta.prescan
// CHECK:         qdelta.advance set %a with %k
// CHECK:         qdelta.advance set %b with %a
qdelta.recurrence @convolution(state %a: tensor<?xf32>, %b: tensor<?xf32>, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %ab = arith.addf %a, %b : tensor<?xf32>
  %c = arith.addf %k, %ab : tensor<?xf32>
  %Sw = qdelta.write %S key %c value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %c : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %k, %a, %Sw : tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// A factor that is the sum of a scalar and a vector; a state that no list uses.
// CHECK-LABEL: func.func @factors_forward
// CHECK:       qdelta.prescan
// CHECK:         %[[G:.*]] = qdelta.splat %g like %k
// CHECK:         %[[F:.*]] = arith.addf %{{.*}}, %{{.*}} : tensor<?xf32>
// CHECK:         qdelta.advance affine %a by %[[F]] : tensor<?xf32> : tensor<?xf32>
// CHECK:         qdelta.advance max_plus %m by %g : f32 with %g : f32 : f32
// CHECK-NEXT:    qdelta.prescan_yield
// CHECK:       qdelta.affine_scan
qdelta.recurrence @factors(state %a: tensor<?xf32>, %m: f32, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>, %g: f32) {
  %ag = qdelta.scale %a by %g : tensor<?xf32>, f32
  %ak = arith.mulf %a, %k : tensor<?xf32>
  %a1 = arith.addf %ag, %ak : tensor<?xf32>
  %m1 = qdelta.max_plus %m decay %g input %g : f32, f32
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %a1, %m1, %Sw : tensor<?xf32>, f32, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// Matrix states: a list each, in the order of their use. The second takes a
// function of the first one's readout; the output is linear in both.
// CHECK-LABEL: func.func @two_lists_forward
// CHECK:       %[[Z:.*]]:2 = qdelta.affine_scan(%{{[^,]*}}, %{{[^,]*}}) init
// CHECK:       %[[P:.*]] = qdelta.prescan heads %{{.*}}(%[[Z]]#0)
// CHECK:         math.tanh
// CHECK:       %[[S:.*]]:2 = qdelta.affine_scan(%{{[^,]*}}, %[[P]], %[[Z]]#0)
// CHECK:         qdelta.affine_output(%{{.*}}, %{{.*}}) * (%{{.*}}, %{{.*}}) : (f32, f32) * (!qdelta.readout, tensor<?xf32>)
// CHECK:       return %[[S]]#0, %[[Z]]#1, %[[S]]#1
qdelta.recurrence @two_lists(state %Z: tensor<?x?xf32>, %S: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %v: tensor<?xf32>) {
  %r = qdelta.read %Z at %k : tensor<?x?xf32>, tensor<?xf32>
  %Z1 = qdelta.write %Z key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %t = math.tanh %r : tensor<?xf32>
  %S1 = qdelta.write %S key %k value %t : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %S1 at %k : tensor<?x?xf32>, tensor<?xf32>
  %o = arith.addf %y, %r : tensor<?xf32>
  qdelta.yield state %Z1, %S1 : tensor<?x?xf32>, tensor<?x?xf32> out %o : tensor<?xf32>
}

// -----

// No matrix state: one prescan.
// CHECK-LABEL: func.func @vectors_forward
// CHECK-NOT:   qdelta.affine_scan
// CHECK:       %[[P:.*]]:2 = qdelta.prescan
// CHECK-NOT:   qdelta.affine_scan
// CHECK:       return %[[P]]#0, %[[P]]#1
qdelta.recurrence @vectors(state %a: tensor<?xf32>) token(%v: tensor<?xf32>, %g: f32) {
  %ad = qdelta.decay %a by %g : tensor<?xf32>, f32
  %a1 = arith.addf %ad, %v : tensor<?xf32>
  %o = math.tanh %a1 : tensor<?xf32>
  qdelta.yield state %a1 : tensor<?xf32> out %o : tensor<?xf32>
}

// -----

// A mix makes one list of its states, and stands where it is in the step: between
// the decay of one and the write of the other. The read at the yielded state of the
// one that is added comes first, though it is written down last.
// CHECK-LABEL: func.func @mixed_forward
// CHECK:       qdelta.affine_scan
// CHECK-SAME:    init(%{{[^,]*}}, %{{[^,]*}}) attributes
// CHECK-SAME:    reads = 2, writes = 1, unknown = [true], bounded = false
// CHECK:         %[[C:.*]] = arith.negf %c
// CHECK:         qdelta.affine_decay 0 by %g
// CHECK-NEXT:    qdelta.affine_mix 0 with 1 by %[[C]] : f32
// CHECK-NEXT:    %{{.*}} = arith.constant
// CHECK-NEXT:    %[[P:.*]] = qdelta.affine_read 0 at
// CHECK:         %[[R:.*]] = qdelta.affine_read 1 at
// CHECK:         qdelta.affine_write 1 key %k value (%{{.*}}) * (%[[P]])
// CHECK:         qdelta.affine_output(%{{.*}}) * (%[[R]])
// CHECK-NOT:   qdelta.affine_scan
qdelta.recurrence @mixed(state %S: tensor<?x?xf32>, %M: tensor<?x?xf32>)
    token(%k: tensor<?xf32>, %g: f32, %c: f32) {
  %n = arith.negf %c : f32
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %Sm = qdelta.mix %Sd with %M by %n : tensor<?x?xf32>, f32
  %p = qdelta.read %Sm at %k : tensor<?x?xf32>, tensor<?xf32>
  %Mw = qdelta.write %M key %k value %p : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %M at %k : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sm, %Mw : tensor<?x?xf32>, tensor<?x?xf32> out %y : tensor<?xf32>
}

// -----

// Of an input times a number that a prescan makes, the number crosses.
// CHECK-LABEL: func.func @bonus_forward
// CHECK:       %[[P:.*]] = qdelta.prescan heads %{{.*}}(%{{[^,]*}}, %{{[^)]*}})
// CHECK-SAME:    -> (tensor<?x?x?xf32>)
// CHECK-NOT:     qdelta.scale
// CHECK:         qdelta.prescan_yield %{{.*}} : f32
// CHECK:       qdelta.affine_scan({{.*}}, %[[P]]) init
// CHECK:       ^bb0(%r: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>, %made: f32):
// CHECK:         %[[Y:.*]] = qdelta.affine_read 0
// CHECK:         qdelta.affine_output(%{{.*}}, %made) * (%[[Y]], %v)
qdelta.recurrence @bonus(state %S: tensor<?x?xf32>)
    token(%r: tensor<?xf32>, %k: tensor<?xf32>, %v: tensor<?xf32>) {
  %y = qdelta.read %S at %r : tensor<?x?xf32>, tensor<?xf32>
  %bonus = qdelta.dot %r, %k : tensor<?xf32> -> f32
  %own = qdelta.scale %v by %bonus : tensor<?xf32>, f32
  %o = arith.addf %y, %own : tensor<?xf32>
  %Sw = qdelta.write %S key %k value %v : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %o : tensor<?xf32>
}
