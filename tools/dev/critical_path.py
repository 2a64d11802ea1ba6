"""Clocks that a chunk takes in each role of a GPU kernel, by a small model of its
machine code. These are not measurements: docs/Rationale/gpu-kernel.md says what is
modelled, and what is not.

Usage: critical_path.py CUBIN WARPS [--chunk=TOKENS] [--bytes=BYTES A TOKEN]
       critical_path.py CUBIN WARPS --trace=WARP

WARPS is the number of warps of a CTA, the state role's first. Prints the clocks of
each role's warps, what tensor cores, issue slots and shared memory of an SM are
busy for, and the memory floor. With --trace, the instructions of a warp's chunk,
each with the clock of its issue.
"""
import os
import re
import sys

import sass

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "Target"))
import cuda_tools

# Clocks from issue until a result can be used.
LATENCY = {"FFMA": 4, "FMUL": 4, "FADD": 4, "F2FP": 6, "MUFU": 22, "LDS": 30, "LDSM": 33, "HMMA.16816": 33,
           "HMMA": 18, "SHFL": 24, "S2R": 25, "LDC": 30, "R2UR": 12, "MOVM": 12, "LDG": 600, "SYNCS": 20}
OTHER_LATENCY = 5
# Clocks until the warp's next instruction, where it is not the next clock: what a
# half or a quarter of the lanes execute at a time, and what orders memory.
ISSUE = {"MUFU": 8, "F2FP": 2, "HMMA": 8, "LDSM": 4, "STSM": 4, "LDS.128": 4, "LDS.64": 2, "SHFL": 2,
         "BAR": 20, "MEMBAR": 20, "SYNCS": 10}
# From the last wgmma of a group until its results can be used.
DRAIN = 32
# An H200: SMs, clocks a second, and bytes a second, nine tenths of what its
# memory can do.
SMS, CLOCK, MEMORY = 132, 1.76e9, 4.3e12


def by_name(table, op, default):
    """The entry for an instruction: the longest name that its own starts with."""
    names = [name for name in table if op == name or op.startswith(name + ".")]
    return table[max(names, key=len)] if names else default


def tensor_clocks(instr):
    """A wgmma of m64 and k16: 2,048 multiply-adds a clock in the whole SM."""
    shape = re.match(r"HGMMA\.64x(\d+)x16", instr.op)
    return int(shape.group(1)) // 2 if shape else 0


def time(trace, show=False):
    """Clocks of a chunk for a warp that is alone, after a first one: it issues in
    order, waits for registers and for groups of wgmma, and meets no other wait."""
    clock, ready, tensor, groups = 0, {}, 0, []
    for turn in range(2):
        start = clock
        for instr in trace:
            if instr.op.startswith("WARPGROUP.DEPBAR"):
                first = max(0, len(groups) - int(instr.operands[1], 0))
                clock = max([clock] + groups[:first])
                groups = groups[first:]
            # wgmma adds onto its own sums in order; waits tell when they are there.
            own = instr.writes if instr.op.startswith("HGMMA") else []
            clock = max([clock] + [ready.get(name, 0) for name in instr.reads if name not in own])
            if turn and show:
                print(f"{clock - start:6} {instr.text}")
            if instr.op.startswith("HGMMA"):
                tensor = max(clock, tensor) + tensor_clocks(instr)
                if "gsb0" in instr.text:
                    groups.append(tensor + DRAIN)
            else:
                ready.update((name, clock + by_name(LATENCY, instr.op, OTHER_LATENCY)) for name in instr.writes)
            clock += by_name(ISSUE, instr.op, 1)
    return clock - start


def shared_clocks(trace, leads):
    """Clocks of shared memory at 128 bytes each: no bank conflicts, and no lanes
    that read the same. What a wgmma reads counts for the first warp of four."""
    clocks = 0
    for instr in trace:
        if shape := re.match(r"HGMMA\.64x(\d+)x16", instr.op):
            rows = int(shape.group(1)) + (0 if re.match(r"R\d", instr.operands[1]) else 64)
            clocks += rows * 32 // 128 if leads else 0
        elif instr.op.startswith(("LDSM", "STSM")):
            clocks += 4
        elif instr.op.startswith(("LDS", "STS")):
            clocks += 4 if ".128" in instr.op else 2 if ".64" in instr.op else 1
    return clocks


def measure(cubin, warps):
    """By role, `state` and `gram`: each warp's clocks and its instructions, as a
    dict of the numbers `clocks` (a list), `instructions`, `hgmma` and `hmma` in the
    slowest warp. By part of the SM, `tensor`, `issue` and `shared`: clocks."""
    nvdisasm = cuda_tools.find("nvdisasm")
    if not nvdisasm:
        raise SystemExit("error: found no nvdisasm; tools/dev/toolkit.sh installs one")
    program, labels = sass.load(nvdisasm, cubin)
    walks = [sass.walk(program, labels, warp) for warp in range(warps)]
    if None in walks or len({loop for loop, _ in walks}) != 2:
        raise SystemExit(f"error: expected warps of two roles in {cubin}, each with a loop over chunks")
    traces = [trace for _, trace in walks]
    result = {}
    for name, loop in (("state", walks[0][0]), ("gram", walks[-1][0])):
        own = [trace for start, trace in walks if start == loop]
        clocks = [time(trace) for trace in own]
        slowest = own[clocks.index(max(clocks))]
        result[name] = {"clocks": clocks, "instructions": len(slowest),
                        "hgmma": sum(i.op.startswith("HGMMA") for i in slowest),
                        "hmma": sum(i.op.startswith("HMMA") for i in slowest)}
    result["tensor"] = sum(tensor_clocks(i) for trace in traces[::4] for i in trace)
    result["issue"] = max(sum(map(len, traces[part::4])) for part in range(4))
    result["shared"] = sum(shared_clocks(trace, warp % 4 == 0) for warp, trace in enumerate(traces))
    return result, traces


def main(words):
    flags = dict(word[2:].split("=") for word in words if word.startswith("--"))
    cubin, warps = [word for word in words if not word.startswith("--")]
    result, traces = measure(cubin, int(warps))
    if "trace" in flags:
        time(traces[int(flags["trace"])], show=True)
        return
    for name in ("state", "gram"):
        role = result[name]
        print(f"{name}: {len(role['clocks'])} warps, {' '.join(map(str, role['clocks']))} clocks a chunk; in the "
              f"slowest {role['instructions']} instructions, {role['hgmma']} HGMMA, {role['hmma']} HMMA")
    chunk = int(flags.get("chunk", 64)) * float(flags.get("bytes", 1032))
    print(f"SM: tensor cores {result['tensor']}, issue {result['issue']}, shared memory {result['shared']}, "
          f"memory floor {chunk * SMS * CLOCK / MEMORY:.0f} clocks a chunk")


if __name__ == "__main__":
    main(sys.argv[1:])
