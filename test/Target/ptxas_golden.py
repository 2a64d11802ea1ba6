"""Compares what ptxas and nvdisasm say of kernels with a committed table.

Usage: ptxas_golden.py REPORT MODELS EXAMPLES TABLE [--sass] [--update] [--only=KERNEL]

REPORT is qdelta-device-report. Every row of TABLE is a kernel for one target.
A kernel fails if ptxas gives it a spill or a warning that the table lacks, or
if a number is greater than the table's. A number that is smaller is said, so
that the table can follow; --update rewrites it. Columns after `|` are counts of
machine instructions, which need nvdisasm: they are compared with --sass only.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import cuda_tools

TARGETS = ["sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120a"]
KERNELS = ["additive", "retention", "delta_net", "gated_delta_net", "q_delta", "two_steps"]
# Kernel, dtype, K, V, targets. A name that ends in :recurrent is the token loop; of
# a launch of several kernels each is a row, with its number after a dot.
CASES = [(kernel, "bf16", 128, 128, TARGETS) for kernel in KERNELS]
CASES += [(kernel + ":recurrent", "bf16", 128, 128, ["sm_80", "sm_90a", "sm_100a", "sm_120a"])
          for kernel in KERNELS]
CASES += [("two_steps:recurrent", "f32", size, size, ["sm_80", "sm_90a"]) for size in (128, 256)]
CASES += [(kernel, "bf16", 128, 128, ["sm_80", "sm_90a"]) for kernel in ("mlstm", "gated_delta_net_layer")]
CASES += [(kernel, "bf16", 128, 128, TARGETS) for kernel in ("gla", "kda", "kda_safe")]
CASES += [("q_delta", "f16", 128, 128, TARGETS), ("q_delta", "bf16", 256, 256, TARGETS)]

KEYS = ["kernel", "dtype", "K", "V", "target"]
PTXAS = ["registers", "spill_stores", "spill_loads", "stack", "static", "dynamic", "threads", "barriers"]
SASS = ["tensor", "local_loads", "local_stores", "bar", "instructions"]
# Facts of the plan, which may go either way but not unseen.
EXACT = ["threads"]
# What a change of the compiler's version may move a little.
SLACK = {"instructions": 1.02}

HEADER = """\
# What ptxas and, after |, nvdisasm say of each kernel; see ptxas_golden.py.
# Written by tools/dev/update_ptxas_golden.sh with ptxas of release {}.
"""


def count_sass(nvdisasm, cubin, entry):
    """Counts of instructions of a function in a cubin."""
    text = subprocess.run([nvdisasm, "-c", cubin], capture_output=True, text=True, check=True).stdout
    sections = re.split(r"^\s*\.section\s+\.text\.", text, flags=re.M)
    text = next((section for section in sections[1:] if re.match(re.escape(entry) + r"[,\s]", section)), "")
    names = re.findall(r"^\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)", text, re.M)
    if not names:
        raise SystemExit(f"error: expected instructions in what nvdisasm prints of {cubin}")
    heads = [name.split(".")[0] for name in names]
    return {
        "tensor": sum(head.endswith("MMA") and head not in ("FMMA",) for head in heads),
        "local_loads": heads.count("LDL"),
        "local_stores": heads.count("STL"),
        "bar": heads.count("BAR"),
        "instructions": len(names),
    }


def measure(report, models, examples, only, nvdisasm):
    """A row for each case, as ptxas and nvdisasm see it."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kernel, dtype, key, value, targets in CASES:
            if only and kernel != only:
                continue
            name, _, mode = kernel.partition(":")
            path = os.path.join(models, name + ".mlir")
            if not os.path.exists(path):
                path = os.path.join(examples, name + ".mlir")
            done = subprocess.run(
                [report, path, f"--shape=K={key},V={value}", f"--dtype={dtype}",
                 f"--mode={mode or 'auto'}", f"--target={','.join(targets)}", f"--cubins={folder}"],
                capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(f"error: {' '.join(done.args)} fails: {done.stderr}")
            for line in done.stdout.splitlines():
                row = json.loads(line)
                row["kernel"] = kernel + (f".{row['step']}" if "step" in row else "")
                row["notes"] = ",".join(sorted({code for text in row["warnings"]
                                                for code in re.findall(r"C7\d+", text) or ["warning"]})) or "-"
                if nvdisasm:
                    row.update(count_sass(nvdisasm, row["cubin"], row["entry"]))
                print(f"{kernel} {dtype} K={key} {row['target']}: to PTX {row['compile_s']:.2f} s, "
                      f"ptxas {row['ptxas_s']:.2f} s", file=sys.stderr)
                rows.append(row)
    return rows


def read(path):
    """The table's rows by their keys."""
    table = {}
    for line in open(path):
        if line.startswith("#") or not line.strip():
            continue
        words = line.replace("|", " ").split()
        if words[0] == "kernel":
            names = words
            continue
        row = dict(zip(names, words, strict=True))
        table[tuple(row[name] for name in KEYS)] = row
    return table


def write(path, rows, version):
    """Rewrites the table."""
    names = KEYS + PTXAS + ["notes", "|"] + SASS
    lines = [names] + [[str(row.get(name, "|")) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    with open(path, "w") as out:
        out.write(HEADER.format(version))
        for line in lines:
            out.write(" ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip() + "\n")


def compare(rows, table, names):
    """What is worse than in the table, and what is better."""
    worse, better = [], []
    for row in rows:
        key = tuple(str(row[name]) for name in KEYS)
        if key not in table:
            worse.append(f"{' '.join(key)}: is not in the table")
            continue
        known = table[key]
        for code in set(row["notes"].split(",")) - set(known["notes"].split(",")) - {"-"}:
            said = "; ".join(row["warnings"])
            worse.append(f"{' '.join(key)}: ptxas says {code}, which the table lacks: {said}")
        for name in names:
            had, has = int(known[name]), int(row[name])
            line = f"{' '.join(key)}: {name} {has}, but the table has {had}"
            if has > had * SLACK.get(name, 1) or (name in EXACT and has != had):
                worse.append(line)
            elif has < had:
                better.append(line)
    return worse, better


def main(words):
    flags = [word for word in words if word.startswith("--")]
    report, models, examples, path = [word for word in words if not word.startswith("--")]
    only = next((flag.split("=")[1] for flag in flags if flag.startswith("--only=")), "")
    nvdisasm = cuda_tools.find("nvdisasm") if "--sass" in flags or "--update" in flags else None
    if not nvdisasm and ("--sass" in flags or "--update" in flags):
        raise SystemExit("error: found no nvdisasm: counts of instructions are unsupported here")
    start = time.time()
    rows = measure(report, models, examples, only, nvdisasm)
    if "--update" in flags:
        if only:
            raise SystemExit("error: --update goes with all kernels")
        write(path, rows, cuda_tools.release_of(cuda_tools.find("ptxas")))
        print(f"{len(rows)} rows written in {time.time() - start:.0f} s")
        return 0
    table = read(path)
    worse, better = compare(rows, table, PTXAS + (SASS if nvdisasm else []))
    missing = [key for key in table if (not only or key[0] == only)
               and key not in {tuple(str(row[name]) for name in KEYS) for row in rows}]
    worse += [f"{' '.join(key)}: is in the table, but is not made" for key in missing]
    for line in better:
        print("better:", line)
    for line in worse:
        print("WORSE:", line)
    print(f"{len(rows)} kernels, {len(worse)} worse numbers, {len(better)} better"
          f"{'' if nvdisasm else '; SASS counts not compared'}")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
