#!/usr/bin/env bash
# Installs what building, running and testing qdelta needs on Debian 12.
# Installed packages are skipped; nothing is fetched when nothing is missing.
#
# Part of qdelta, under the Apache License 2.0 (see LICENSE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

packages=(
  # Compiler, linker and build system.
  clang-22 lld-22 cmake ninja-build ccache git
  # MLIR and LLVM: headers, libraries, mlir-tblgen; FileCheck, not and lit.
  llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools
  # What LLVM's and MLIR's CMake files look for.
  zlib1g-dev libzstd-dev
  # Unit tests, the sanitizer preset, the lint tests.
  libgtest-dev libclang-rt-22-dev clang-format-22 clang-tidy-22
  # The demo's input and the arrays of tests.
  python3 python3-numpy
)

if [[ -n "${QDELTA_SKIP_SETUP:-}" ]]; then
  echo "== setup: skipped, QDELTA_SKIP_SETUP is set"
  exit 0
fi

# Assembling for NVIDIA GPUs needs ptxas; without a CUDA toolkit, a private one
# comes from PyPI.
if ! tools/dev/toolkit.sh --find > /dev/null 2>&1 &&
  ! python3 -m pip --version > /dev/null 2>&1; then
  packages+=(python3-pip)
fi
take_toolkit() {
  # Without one everything works but cubins, so this is no reason to stop.
  tools/dev/toolkit.sh > /dev/null || echo "warning: no ptxas, so no cubins" >&2
}

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' ||
    missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "== setup: all ${#packages[@]} packages are there"
  take_toolkit
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo > /dev/null; then
    echo "error: expected to be root or to have sudo; as root, run" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "== setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
# A minute or two: LLVM and MLIR unpack to about 2 GB.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
take_toolkit
echo "== setup: done"
