"""Runs sequences packed, each alone, and each in a batch, and compares bits.

Usage: packed.py MODEL.mlir FOLDER COMMAND [OPTION...]

COMMAND is qdelta-run with its options, without a file, inputs and sizes. Then
one sequence becomes NaN, which no other may notice. Prints what was the same.
"""
import re
import subprocess
import sys

import numpy

LENGTHS = [0, 1, 17, 64, 0, 211]
POISONED = 3
H, HV, K, V = 1, 2, 32, 48
# Vectors of these names have V entries, all others K.
VALUES = {"v", "gv", "z", "w", "v1", "v2", "v3", "vw0", "vw1", "vw2", "vw3"}


def declared(model):
    """Names, types and attributes of the model's states, tokens and parameters."""
    text = re.sub(r"//.*", "", open(model).read())
    lists = []
    for word in ("state", "token", "param"):
        found = re.search(r"\b%s\s*\(?(.*?)\)\s*(?:\{\s*$|param|token|$)" % word, text,
                          re.S | re.M)
        inside = found.group(1) if found else ""
        lists.append(re.findall(r"%(\w+): (f32|tensor<[?x]*xf32>)\s*(\{[^}]*\})?", inside))
    return lists


def draw(random, lead, name, kind, attributes, heads):
    """Values of an input with `lead` dimensions before its heads."""
    size = {"f32": (), "tensor<?xf32>": (V if name in VALUES else K,)}.get(kind, (K, V))
    x = random.standard_normal((*lead, heads, *size))
    if "unit" in attributes:
        x /= numpy.linalg.norm(x, axis=-1, keepdims=True)
    if "log_decay" in attributes:
        x = -0.1 * numpy.abs(x)
    if "range" in attributes:
        x = random.random(x.shape)
    return x


class Runner:
    def __init__(self, model, folder, command):
        self.model, self.folder, self.command = model, folder, command
        self.half = "--dtype=f16" in command
        self.states, self.tokens, self.params = declared(model)

    def inputs(self):
        random = numpy.random.default_rng(7)
        made = {}
        for name, kind, attributes in self.tokens:
            isKey = kind != "f32" and name not in VALUES and "log_decay" not in attributes
            made[name] = draw(random, (1, sum(LENGTHS)), name, kind, attributes,
                              H if isKey else HV)
            if self.half and kind != "f32":
                made[name] = made[name].astype("<f2")
        for name, kind, attributes in self.states:
            made[name] = 0.1 * draw(random, (len(LENGTHS),), name, kind, attributes, HV)
        for name, kind, attributes in self.params:
            made[name] = 0.5 * draw(random, (), name, kind, attributes, HV)
        return {name: x if x.dtype == "<f2" else x.astype("<f4") for name, x in made.items()}

    def run(self, inputs, tag, bounds=None):
        command = [*self.command, self.model, f"--shape=K={K},V={V}"]
        for name, array in inputs.items():
            path = f"{self.folder}/{tag}-{name}.npy"
            numpy.save(path, array)
            command += ["--input", f"{name}={path}"]
        if bounds is not None:
            command += ["--cu-seqlens=" + ",".join(map(str, bounds))]
        names = ["o"] + [f"{name}_final" for name, _, _ in self.states]
        paths = {name: f"{self.folder}/{tag}-{name}.npy" for name in names}
        for name, path in paths.items():
            command += ["--output", f"{name}={path}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(" ".join(command) + "\n" + done.stdout + done.stderr)
        return {name: numpy.load(path) for name, path in paths.items()}


def same(a, b, what):
    if a.shape != b.shape or a.tobytes() != b.tobytes():
        different = "shapes" if a.shape != b.shape else \
            f"{numpy.sum(a != b)} of {a.size} numbers"
        sys.exit(f"{what}: {different} differ")


def main(model, folder, command):
    runner = Runner(model, folder, command)
    bounds = numpy.cumsum([0, *LENGTHS])
    inputs = runner.inputs()
    tokens = {name for name, _, _ in runner.tokens}
    states = {name for name, _, _ in runner.states}
    packed = runner.run(inputs, "packed", bounds)
    spans = list(zip(bounds[:-1], bounds[1:]))

    def part(arrays, n, times):
        begin, end = spans[n]
        return {name: numpy.concatenate([x[:, begin:end]] * times) if name in tokens
                else numpy.concatenate([x[n:n + 1]] * times) if name in states else x
                for name, x in arrays.items()}

    for n, (begin, end) in enumerate(spans):
        for times, how in (1, "alone"), (2, "in a batch"):
            alone = runner.run(part(inputs, n, times), how.split()[-1])
            for name, x in alone.items():
                whole = packed[name][:, begin:end] if name == "o" else packed[name][n:n + 1]
                same(x[:1], whole, f"{name} of sequence {n} packed and {how}")

    begin, end = spans[POISONED]
    for name in tokens:
        inputs[name][:, begin:end] = numpy.nan
    poisoned = runner.run(inputs, "poisoned", bounds)
    assert numpy.isnan(poisoned["o"][:, begin:end]).all()
    for n, (begin, end) in enumerate(spans):
        for name, x in poisoned.items():
            if n != POISONED:
                at = (slice(None), slice(begin, end)) if name == "o" else slice(n, n + 1)
                same(x[at], packed[name][at], f"{name} of sequence {n} beside one of NaN")
    print(f"{len(LENGTHS)} sequences: same bits packed, alone, in a batch and beside NaN")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
