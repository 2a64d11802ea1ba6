#!/usr/bin/env bash
# Installs what is missing, configures a preset and builds targets of it.
#
#   tools/dev/build.sh [dev|release|sanitize] [TARGET...]
#
# Part of qdelta, under the Apache License 2.0 (see LICENSE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

preset=${1:-dev}
shift || true
case $preset in
  dev) folder=build ;;
  release | sanitize) folder=build-$preset ;;
  *)
    echo "error: expected preset dev, release or sanitize, but got '$preset'" >&2
    exit 1
    ;;
esac

tools/dev/setup.sh
if [[ -n "${QDELTA_SKIP_BUILD:-}" ]]; then
  echo "== build: skipped, QDELTA_SKIP_BUILD is set"
  exit 0
fi

launcher=()
if command -v ccache > /dev/null; then
  launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
echo "== configure: preset $preset in $folder/"
cmake --preset "$preset" --log-level=WARNING "${launcher[@]}"
echo "== build: ${*:-everything}"
# shellcheck disable=SC2086
cmake --build "$folder" --parallel "$(nproc)" ${1:+--target "$@"}
