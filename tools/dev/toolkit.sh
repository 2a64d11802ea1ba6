#!/usr/bin/env bash
# Prints the folder of ptxas: of the CUDA toolkit that is there, or of a private
# one that this installs from PyPI, pinned, below build/toolkit. Only compiling
# for NVIDIA GPUs uses it; libraries and tools at run time never do.
#
#   tools/dev/toolkit.sh [--find]     --find: install nothing
#
# Part of qdelta, under the Apache License 2.0 (see LICENSE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The compiler's version is that of the tests; what only reads cubins has no
# packages so old.
packages=('nvidia-cuda-nvcc==13.0.*' 'nvidia-cuda-nvdisasm==13.2.*' 'nvidia-cuda-cuobjdump==13.2.*')
private=${QDELTA_TOOLKIT:-$PWD/build/toolkit}

# The same places in the same order as the compiler's (lib/Target).
if found=$(command -v ptxas); then
  dirname "$found"
  exit 0
fi
for folder in ${CUDA_HOME:+"$CUDA_HOME/bin"} "${CUDA_DEFAULT:-/usr/local/cuda}/bin" "$private/bin"; do
  if [[ -x $folder/ptxas ]]; then
    echo "$folder"
    exit 0
  fi
done
if [[ ${1:-} == --find ]]; then
  echo "error: found no ptxas; tools/dev/toolkit.sh installs one" >&2
  exit 1
fi

echo "== toolkit: installing ${packages[*]} in $private" >&2
rm -rf "$private"
mkdir -p "$private"
python3 -m pip install --quiet --disable-pip-version-check --no-deps \
  --target "$private/packages" "${packages[@]}" >&2
# Each package has its programs in nvidia/<toolkit>/bin.
found=("$private"/packages/nvidia/*/bin/ptxas)
if [[ ! -f ${found[0]} ]]; then
  echo "error: expected ptxas in the packages of $private/packages" >&2
  exit 1
fi
chmod +x "$(dirname "${found[0]}")"/*
ln -s "$(dirname "${found[0]}")" "$private/bin"
echo "$private/bin"
