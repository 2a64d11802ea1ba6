// RUN: qdelta-opt %s -qdelta-check-derivation
// RUN: qdelta-opt %s -qdelta-check-derivation="seed=7 draws=1"

// Right derivations, at every phase that can be written by hand, pass.

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

func.func @scan(%q: !seq, %k: !seq, %v: !seq, %g: !gates, %beta: !gates,
    %lambda: !gates, %scale: !param, %S: !seq) -> (!seq, !seq)
    attributes {qdelta.recurrence = @q_delta} {
  %o, %f = qdelta.scan @q_delta(%q, %k, %v, %g, %beta, %lambda) param(%scale) init(%S)
    : (!seq, !seq, !seq, !gates, !gates, !gates) param(!param) init(!seq)
    -> (!seq) final(!seq)
  return %o, %f : !seq, !seq
}

func.func @affine(%q: !seq, %k: !seq, %v: !seq, %g: !gates, %beta: !gates,
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
    "qdelta.affine_write"(%tk, %tb, %m, %tv, %p) <{state = 0, operandSegmentSizes = array<i32: 1, 2, 2>}>
      : (!vec, f32, f32, !vec, !qdelta.readout) -> ()
    %y = "qdelta.affine_read"(%one, %tq) <{state = 0}> : (f32, !vec) -> !qdelta.readout
    "qdelta.affine_output"(%s, %y) : (f32, !qdelta.readout) -> ()
    qdelta.affine_end
  }
  return %o, %f : !seq, !seq
}
