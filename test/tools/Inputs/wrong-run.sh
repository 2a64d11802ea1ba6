#!/bin/sh
# Stands in for qdelta-run: an engine that is wrong.
echo "model on emulated, B=1"
echo "output       max abs   rel rms  bf16 loop  ratio  verdict"
echo "o            1.00e+00  1.00e+00   1.00e-03  99.00  wrong"
echo "S_final      1.00e-03  1.00e-03   1.00e-03   1.00  right"
echo "error: emulated differs from reference" >&2
exit 2
