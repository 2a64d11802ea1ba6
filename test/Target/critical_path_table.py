"""Compares the critical paths of kernels with a committed table.

Usage: critical_path_table.py REPORT MODELS TABLE [--update]

REPORT is qdelta-device-report. A row has what tools/dev/critical_path.py says of a
kernel at K = V = 128, bf16, for sm_90a. Counts of tensor instructions are facts; the
clocks of the slowest warp of each role, and what the SM is busy for, may not grow by
more than a fiftieth, which is what a release of ptxas may move.
"""
import json
import os
import subprocess
import sys
import tempfile

import cuda_tools

sys.path.insert(0, os.path.join(cuda_tools.ROOT, "tools", "dev"))
import critical_path

KERNELS = ["additive", "retention", "delta_net", "gated_delta_net", "q_delta"]
FACTS = ["state_hgmma", "gram_hgmma", "gram_hmma"]
CLOCKS = ["state", "gram", "tensor", "issue", "shared"]
SLACK = 1.02
HEADER = """\
# Clocks a chunk of 64 tokens on sm_90a by the model of tools/dev/critical_path.py.
# Written by tools/dev/update_ptxas_golden.sh with ptxas of release {}.
"""


def measure(report, models, kernel, folder):
    """The row of a kernel."""
    done = subprocess.run([report, os.path.join(models, kernel + ".mlir"), "--shape=K=128,V=128", "--dtype=bf16",
                           "--target=sm_90a", f"--cubins={folder}"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(done.args)} fails: {done.stderr}")
    built = json.loads(done.stdout)
    path, _ = critical_path.measure(built["cubin"], built["threads"] // 32)
    row = {name: max(path[name]["clocks"]) for name in ("state", "gram")}
    row.update({name: path[name] for name in ("tensor", "issue", "shared")})
    row.update({f"{role}_{kind}": path[role][kind] for role, kind in (name.split("_") for name in FACTS)})
    return row


def read(path):
    lines = [line.split() for line in open(path) if not line.startswith("#")]
    return {words[0]: dict(zip(lines[0][1:], map(int, words[1:]), strict=True)) for words in lines[1:]}


def write(path, rows):
    lines = [["kernel"] + CLOCKS + FACTS]
    lines += [[kernel] + [str(row[name]) for name in CLOCKS + FACTS] for kernel, row in rows.items()]
    widths = [max(map(len, column)) for column in zip(*lines)]
    with open(path, "w") as out:
        out.write(HEADER.format(cuda_tools.release_of(cuda_tools.find("ptxas"))))
        for line in lines:
            out.write(" ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip() + "\n")


def compare(rows, table):
    """What differs for the worse."""
    for kernel, row in rows.items():
        for name in FACTS:
            if row[name] != table[kernel][name]:
                yield f"{kernel}: {name} {row[name]}, but the table has {table[kernel][name]}"
        for name in CLOCKS:
            if row[name] > table[kernel][name] * SLACK:
                yield f"{kernel}: {name} {row[name]} clocks, but the table has {table[kernel][name]}"


def main(words):
    report, models, path = [word for word in words if not word.startswith("--")]
    with tempfile.TemporaryDirectory() as folder:
        rows = {kernel: measure(report, models, kernel, folder) for kernel in KERNELS}
    if "--update" in words:
        write(path, rows)
        return 0
    worse = list(compare(rows, read(path)))
    for line in worse:
        print("WORSE:", line)
    for kernel, row in rows.items():
        print(f"{kernel}: state {row['state']}, gram {row['gram']} clocks a chunk")
    print(f"{len(rows)} kernels, {len(worse)} worse numbers")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
