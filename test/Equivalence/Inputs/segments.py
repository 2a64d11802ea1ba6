"""Runs a batch that is split into segments and compares bits.

Usage: segments.py MODEL.mlir FOLDER COMMAND [OPTION...]

COMMAND is qdelta-run with its options, without a file, inputs and sizes, for a
model with the inputs of gated_delta_net. Threads and the rest of the batch may
not change a bit.
"""
import subprocess
import sys

import numpy

B, T, H, HV, K, V = 3, 100, 1, 2, 32, 48


def inputs():
    random = numpy.random.default_rng(7)
    made = {name: random.standard_normal((B, T, heads, *size))
            for name, heads, size in (("q", H, (K,)), ("k", H, (K,)), ("v", HV, (V,)),
                                      ("g", HV, ()), ("beta", HV, ()))}
    made["g"] = -0.1 * numpy.abs(made["g"])
    made["beta"] = 1 / (1 + numpy.exp(-made["beta"]))
    for name in "qk":
        made[name] /= numpy.linalg.norm(made[name], axis=-1, keepdims=True)
    made["S"] = 0.1 * random.standard_normal((B, HV, K, V))
    return {name: x.astype("<f4") for name, x in made.items()}


def run(model, folder, command, arrays, threads):
    line = [*command, model, "--param=scale=0.2", f"--threads={threads}"]
    for name, array in arrays.items():
        numpy.save(f"{folder}/{name}.npy", array)
        line.append(f"--input={name}={folder}/{name}.npy")
    names = "o", "S_final"
    line += [f"--output={name}={folder}/{name}.npy" for name in names]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return [numpy.load(f"{folder}/{name}.npy") for name in names]


def main(model, folder, *command):
    arrays = inputs()
    whole = run(model, folder, command, arrays, 1)
    for threads in (2, 7):
        for a, b in zip(whole, run(model, folder, command, arrays, threads)):
            if a.tobytes() != b.tobytes():
                sys.exit(f"{threads} threads have other bits than one")
    for batch in range(B):
        alone = {name: x[batch:batch + 1] for name, x in arrays.items()}
        for a, b in zip(whole, run(model, folder, command, alone, 2)):
            if a[batch:batch + 1].tobytes() != b.tobytes():
                sys.exit(f"batch entry {batch} has other bits alone")
    print("same bits alone, in a batch, and on 1, 2 and 7 threads")


if __name__ == "__main__":
    main(*sys.argv[1:])
