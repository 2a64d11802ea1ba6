#!/usr/bin/env bash
# From a fresh machine to a running, checked Q-Delta kernel on real text.
#
# Installs what is missing, builds the tools, proves the derivation, runs 4,096
# byte tokens through Q-Delta in two calls that hand over the state, checks the
# results against float64 and measures the speed. QDELTA_SKIP_SETUP=1 and
# QDELTA_SKIP_BUILD=1 leave out the first two steps.
#
# Part of qdelta, under the Apache License 2.0 (see LICENSE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tools/dev/build.sh dev qdelta-opt qdelta-run qdelta-bench
bin=$PWD/build/bin
# Debian's own interpreter: another one on PATH may lack numpy.
python=/usr/bin/python3

echo
echo "== derive: Q-Delta's list from its token step, and the exact check of it"
"$bin/qdelta-opt" lib/Models/q_delta.mlir -qdelta-derive-affine \
  -qdelta-check-derivation -o build/demo-affine.mlir
grep -E '^ +(%[0-9]+ = )?qdelta\.affine_(decay|read|write|output)' build/demo-affine.mlir |
  sed -E 's/^ +/  /; s/ : .*//'

echo
echo "== input: a licence text as byte tokens, embedded and projected"
data=build/demo
rm -rf "$data"
"$python" tools/dev/demo_input.py make /usr/share/common-licenses/GPL-3 "$data"

# inputs PART: the options that name its arrays.
inputs() {
  for name in q k v g beta lambda; do
    echo "--input=$name=$data/$1/$name.npy"
  done
}
mapfile -t first < <(inputs first)
mapfile -t second < <(inputs second)
mapfile -t whole < <(inputs whole)

echo
echo "== run: tokens 0 to 2047, from an empty state, checked against float64"
"$bin/qdelta-run" --model q_delta --engine=cpu --check-against=reference "${first[@]}" \
  --output "o=$data/first/o.npy" --output "S_final=$data/first/S_final.npy"
echo
echo "== run: tokens 2048 to 4095, from the state that the first call left"
"$bin/qdelta-run" --model q_delta --engine=cpu --check-against=reference "${second[@]}" \
  --input "S=$data/first/S_final.npy" \
  --output "o=$data/second/o.npy" --output "S_final=$data/second/S_final.npy"
echo
echo "== compare: both calls together against all 4,096 tokens at once in float64"
"$bin/qdelta-run" --model q_delta --engine=reference "${whole[@]}" \
  --output "o=$data/whole/o.npy" --output "S_final=$data/whole/S_final.npy" > /dev/null
"$python" tools/dev/demo_input.py compare "$data"

echo
echo "== speed: 4,096 tokens, 8 heads, K = V = 128, float32"
threads=1
if (($(nproc) > 1)); then
  threads=1,$(nproc)
fi
"$bin/qdelta-bench" --model q_delta --shape B=1,T=4096,H=8,K=128,V=128 \
  --threads "$threads" --json "$data/bench.json"
"$python" tools/dev/demo_input.py speed "$data/bench.json"

echo
echo "OK: Q-Delta compiled, ran in two calls with its state carried over, and is" \
  "within tolerance of float64"
