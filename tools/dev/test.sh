#!/usr/bin/env bash
# Builds everything and runs all tests.
#
#   tools/dev/test.sh               the dev preset, in build/
#   tools/dev/test.sh --sanitize    ASan and UBSan, in build-sanitize/
#
# Part of qdelta, under the Apache License 2.0 (see LICENSE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

preset=dev
folder=build
case ${1:-} in
  '') ;;
  --sanitize)
    preset=sanitize
    folder=build-sanitize
    ;;
  *)
    echo "error: expected no argument or --sanitize, but got '$1'" >&2
    exit 1
    ;;
esac

tools/dev/build.sh "$preset"
echo "== test: every lit, unit and equivalence test of $folder/"
ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(nproc)"
