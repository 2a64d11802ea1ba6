// A kernel for eight tokens, whatever the batch and the heads.
qdelta.recurrence @gated(state %S: tensor<?x?xf32>)
    token(%q: tensor<?xf32> {qdelta.unit}, %k: tensor<?xf32> {qdelta.unit}, %v: tensor<?xf32>,
          %g: f32 {qdelta.log_decay}, %beta: f32 {qdelta.range = [0.0, 1.0]}) {
  %Sd = qdelta.decay %S by %g : tensor<?x?xf32>, f32
  %p = qdelta.read %Sd at %k : tensor<?x?xf32>, tensor<?xf32>
  %d = arith.subf %v, %p : tensor<?xf32>
  %e = qdelta.scale %d by %beta : tensor<?xf32>, f32
  %Sw = qdelta.write %Sd key %k value %e : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
  %y = qdelta.read %Sw at %q : tensor<?x?xf32>, tensor<?xf32>
  qdelta.yield state %Sw : tensor<?x?xf32> out %y : tensor<?xf32>
}
func.func @eight(%q: tensor<?x8x?x64xbf16>, %k: tensor<?x8x?x64xbf16>, %v: tensor<?x8x?x48xbf16>,
                 %g: tensor<?x8x?xf32>, %beta: tensor<?x8x?xf32>, %S: tensor<?x?x64x48xf32>)
    -> (tensor<?x8x?x48xbf16>, tensor<?x?x64x48xf32>) {
  %o, %f = qdelta.scan @gated(%q, %k, %v, %g, %beta) init(%S)
    : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x8x?x48xbf16>, tensor<?x8x?xf32>, tensor<?x8x?xf32>)
      init(tensor<?x?x64x48xf32>) -> (tensor<?x8x?x48xbf16>) final(tensor<?x?x64x48xf32>)
  return %o, %f : tensor<?x8x?x48xbf16>, tensor<?x?x64x48xf32>
}
