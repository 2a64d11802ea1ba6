// RUN: not qdelta-opt %s -qdelta-check-derivation 2>&1 | FileCheck %s

// Each function is a wrong derivation of the kind that has been released or is
// easily made. All have to be noticed.

!seq = tensor<?x?x?x?xf32>
!gates = tensor<?x?x?xf32>
!param = tensor<?xf32>
!vec = tensor<?xf32>
!mat = tensor<?x?xf32>

qdelta.recurrence @q_delta(state %S: !mat)
    token(%q: !vec, %k: !vec, %v: !vec, %g: f32, %beta: f32, %lambda: f32)
    param(%scale: f32) {
  %Sd = qdelta.decay %S by %g : !mat, f32
  %lq = qdelta.scale %q by %lambda : !vec, f32
  %x = arith.addf %k, %lq : !vec
  %p = qdelta.read %Sd at %x : !mat, !vec
  %d = arith.subf %v, %p : !vec
  %e = qdelta.scale %d by %beta : !vec, f32
  %Sw = qdelta.write %Sd key %k value %e : !mat, !vec, !vec
  %y = qdelta.read %Sw at %q : !mat, !vec
  %o = qdelta.scale %y by %scale : !vec, f32
  qdelta.yield state %Sw : !mat out %o : !vec
}

// The roles of read and write key exchanged: K X^T where X K^T belongs.
// CHECK: error: derived form of @transposed differs from the recurrence at output 0 [
// CHECK: note: the recurrence; B = {{[0-9]+}}, T = {{[0-9]+}}
func.func @transposed(%q: !seq, %k: !seq, %v: !seq, %g: !gates, %beta: !gates,
    %lambda: !gates, %scale: !param, %S: !seq) -> (!seq, !seq)
    attributes {qdelta.recurrence = @q_delta} {
  %o, %f = qdelta.affine_scan(%q, %k, %v, %g, %beta, %lambda) param(%scale) init(%S)
    attributes {arg_names = ["q", "k", "v", "g", "beta", "lambda", "scale"],
      facts = #qdelta.facts<decay = scalar, reads = 2, writes = 1, unknown = [true], bounded = false>}
    : (!seq, !seq, !seq, !gates, !gates, !gates) param(!param) init(!seq) -> (!seq) final(!seq) {
  ^bb0(%tq: !vec, %tk: !vec, %tv: !vec, %tg: f32, %tb: f32, %tl: f32, %s: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %tb : f32
    qdelta.affine_decay 0 by %tg : f32
    %lq = qdelta.scale %tq by %tl : !vec, f32
    %x = arith.addf %tk, %lq : !vec
    %p = "qdelta.affine_read"(%one, %tk) <{state = 0}> : (f32, !vec) -> !qdelta.readout
    "qdelta.affine_write"(%x, %tb, %m, %tv, %p) <{state = 0, operandSegmentSizes = array<i32: 1, 2, 2>}>
      : (!vec, f32, f32, !vec, !qdelta.readout) -> ()
    %y = "qdelta.affine_read"(%one, %tq) <{state = 0}> : (f32, !vec) -> !qdelta.readout
    "qdelta.affine_output"(%s, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !seq, !seq
}

// CHECK: error: derived form of @dropped_decay differs from the recurrence at output 0 [
func.func @dropped_decay(%q: !seq, %k: !seq, %v: !seq, %g: !gates, %beta: !gates,
    %lambda: !gates, %scale: !param, %S: !seq) -> (!seq, !seq)
    attributes {qdelta.recurrence = @q_delta} {
  %o, %f = qdelta.affine_scan(%q, %k, %v, %g, %beta, %lambda) param(%scale) init(%S)
    attributes {arg_names = ["q", "k", "v", "g", "beta", "lambda", "scale"],
      facts = #qdelta.facts<decay = scalar, reads = 2, writes = 1, unknown = [true], bounded = false>}
    : (!seq, !seq, !seq, !gates, !gates, !gates) param(!param) init(!seq) -> (!seq) final(!seq) {
  ^bb0(%tq: !vec, %tk: !vec, %tv: !vec, %tg: f32, %tb: f32, %tl: f32, %s: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %tb : f32
    %p = "qdelta.affine_read"(%one, %tl, %tk, %tq) <{state = 0}> : (f32, f32, !vec, !vec) -> !qdelta.readout
    "qdelta.affine_write"(%tk, %tb, %m, %tv, %p) <{state = 0, operandSegmentSizes = array<i32: 1, 2, 2>}>
      : (!vec, f32, f32, !vec, !qdelta.readout) -> ()
    %y = "qdelta.affine_read"(%one, %tq) <{state = 0}> : (f32, !vec) -> !qdelta.readout
    "qdelta.affine_output"(%s, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !seq, !seq
}

// The output misses its own token's write.
// CHECK: error: derived form of @off_by_one differs from the recurrence at output 0 [
func.func @off_by_one(%q: !seq, %k: !seq, %v: !seq, %g: !gates, %beta: !gates,
    %lambda: !gates, %scale: !param, %S: !seq) -> (!seq, !seq)
    attributes {qdelta.recurrence = @q_delta} {
  %o, %f = qdelta.affine_scan(%q, %k, %v, %g, %beta, %lambda) param(%scale) init(%S)
    attributes {arg_names = ["q", "k", "v", "g", "beta", "lambda", "scale"],
      facts = #qdelta.facts<decay = scalar, reads = 2, writes = 1, unknown = [true], bounded = false>}
    : (!seq, !seq, !seq, !gates, !gates, !gates) param(!param) init(!seq) -> (!seq) final(!seq) {
  ^bb0(%tq: !vec, %tk: !vec, %tv: !vec, %tg: f32, %tb: f32, %tl: f32, %s: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %tb : f32
    qdelta.affine_decay 0 by %tg : f32
    %p = "qdelta.affine_read"(%one, %tl, %tk, %tq) <{state = 0}> : (f32, f32, !vec, !vec) -> !qdelta.readout
    %y = "qdelta.affine_read"(%one, %tq) <{state = 0}> : (f32, !vec) -> !qdelta.readout
    "qdelta.affine_write"(%tk, %tb, %m, %tv, %p) <{state = 0, operandSegmentSizes = array<i32: 1, 2, 2>}>
      : (!vec, f32, f32, !vec, !qdelta.readout) -> ()
    "qdelta.affine_output"(%s, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !seq, !seq
}

// The prediction reads the state before its decay.
// CHECK: error: derived form of @moved_decay differs from the recurrence at output 0 [
func.func @moved_decay(%q: !seq, %k: !seq, %v: !seq, %g: !gates, %beta: !gates,
    %lambda: !gates, %scale: !param, %S: !seq) -> (!seq, !seq)
    attributes {qdelta.recurrence = @q_delta} {
  %o, %f = qdelta.affine_scan(%q, %k, %v, %g, %beta, %lambda) param(%scale) init(%S)
    attributes {arg_names = ["q", "k", "v", "g", "beta", "lambda", "scale"],
      facts = #qdelta.facts<decay = scalar, reads = 2, writes = 1, unknown = [true], bounded = false>}
    : (!seq, !seq, !seq, !gates, !gates, !gates) param(!param) init(!seq) -> (!seq) final(!seq) {
  ^bb0(%tq: !vec, %tk: !vec, %tv: !vec, %tg: f32, %tb: f32, %tl: f32, %s: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %tb : f32
    %p = "qdelta.affine_read"(%one, %tl, %tk, %tq) <{state = 0}> : (f32, f32, !vec, !vec) -> !qdelta.readout
    qdelta.affine_decay 0 by %tg : f32
    "qdelta.affine_write"(%tk, %tb, %m, %tv, %p) <{state = 0, operandSegmentSizes = array<i32: 1, 2, 2>}>
      : (!vec, f32, f32, !vec, !qdelta.readout) -> ()
    %y = "qdelta.affine_read"(%one, %tq) <{state = 0}> : (f32, !vec) -> !qdelta.readout
    "qdelta.affine_output"(%s, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !seq, !seq
}
