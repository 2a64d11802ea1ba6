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
disassembler='nvidia-cuda-nvdisasm==13.2.*'
packages=('nvidia-cuda-nvcc==13.0.*' "$disassembler" 'nvidia-cuda-cuobjdump==13.2.*')
private=${QDELTA_TOOLKIT:-$PWD/build/toolkit}
mode=${1:-}

install() {
  mkdir -p "$private"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps \
    --target "$private/packages" "$@" >&2
  chmod +x "$private"/packages/nvidia/*/bin/*
}

# Prints folder $1; a toolkit may lack the program that reads cubins, which tests
# want, and which then comes by itself.
finish() {
  if [[ $mode != --find && ! -x $1/nvdisasm ]] && ! command -v nvdisasm > /dev/null &&
    ! compgen -G "$private/packages/nvidia/*/bin/nvdisasm" > /dev/null; then
    echo "== toolkit: installing $disassembler in $private" >&2
    install "$disassembler" ||
      echo "warning: no nvdisasm; tests of machine code count as unsupported" >&2
  fi
  echo "$1"
  exit 0
}

# The same places in the same order as the compiler's (lib/Target).
if found=$(command -v ptxas); then
  finish "$(dirname "$found")"
fi
for folder in ${CUDA_HOME:+"$CUDA_HOME/bin"} "${CUDA_DEFAULT:-/usr/local/cuda}/bin" "$private/bin"; do
  if [[ -x $folder/ptxas ]]; then
    finish "$folder"
  fi
done
if [[ $mode == --find ]]; then
  echo "error: found no ptxas; tools/dev/toolkit.sh installs one" >&2
  exit 1
fi

echo "== toolkit: installing ${packages[*]} in $private" >&2
rm -rf "$private"
install "${packages[@]}"
# Each package has its programs in nvidia/<toolkit>/bin.
found=("$private"/packages/nvidia/*/bin/ptxas)
if [[ ! -f ${found[0]} ]]; then
  echo "error: expected ptxas in the packages of $private/packages" >&2
  exit 1
fi
ln -s "$(dirname "${found[0]}")" "$private/bin"
echo "$private/bin"
