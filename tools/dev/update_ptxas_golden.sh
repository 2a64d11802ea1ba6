#!/usr/bin/env bash
# Rewrites test/Target/ptxas.golden and critical_path.golden from what ptxas and
# nvdisasm say of the kernels of this build. Look at the difference before committing
# it: a greater number is a decision, not an update.
#
#   tools/dev/update_ptxas_golden.sh [build folder]
#
# Part of qdelta, under the Apache License 2.0 (see LICENSE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

report=${1:-build}/bin/qdelta-device-report
if [[ ! -x $report ]]; then
  echo "error: expected $report; build target qdelta-device-report" >&2
  exit 1
fi
python3 test/Target/ptxas_golden.py "$report" lib/Models docs/examples \
  test/Target/ptxas.golden --update
python3 test/Target/critical_path_table.py "$report" lib/Models \
  test/Target/critical_path.golden --update
git --no-pager diff --stat -- test/Target || true
