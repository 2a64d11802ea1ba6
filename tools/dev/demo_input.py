#!/usr/bin/python3
"""Input of a Q-Delta layer from a text, and the check of the demo's results.

    demo_input.py make TEXT FOLDER     first/*.npy, second/*.npy, whole/*.npy
    demo_input.py compare FOLDER       two calls against one in float64
    demo_input.py speed BENCH.json     tokens a second and share of the peak

The layer follows Q-Delta (arXiv 2606.08804) with seeded, untrained matrices:
bytes are embedded, projected, passed through a causal short convolution and
SiLU; q and k are normalised; beta, lambda and the log decay g are gates.

Part of qdelta, under the Apache License 2.0 (see LICENSE).
"""

import json
import sys
from pathlib import Path

import numpy as np

TOKENS, HEADS, KEY, VALUE, HIDDEN, SEED = 4096, 8, 128, 128, 256, 20
LAMBDA_BIAS = 0.9
# Both calls are float32 kernels: a few units in the last place, 2^-23 each.
TOLERANCE = 1e-6


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def softplus(x):
    return np.logaddexp(0, x)


def normalise(x):
    return x / np.sqrt((x * x).sum(-1, keepdims=True) + 1e-6)


def short_convolution(x, weight):
    """Causal and per channel: y_t = sum_i weight[i] x_{t-i}."""
    y = np.zeros_like(x)
    for i, w in enumerate(weight):
        y[i:] += w * x[: len(x) - i]
    return y


def layer(tokens, rng):
    """The inputs of the recurrence for a sequence of byte tokens."""
    embedding = rng.standard_normal((256, HIDDEN))
    hidden = embedding[tokens]
    hidden /= np.sqrt((hidden**2).mean(-1, keepdims=True) + 1e-6)

    def project(width):
        return hidden @ rng.standard_normal((HIDDEN, width)) / np.sqrt(HIDDEN)

    def convolved(width):
        weight = rng.uniform(-0.5, 0.5, (4, HEADS * width))
        x = silu(short_convolution(project(HEADS * width), weight))
        return x.reshape(len(tokens), HEADS, width)

    decay_rate = np.maximum(rng.uniform(0, 16, HEADS), 1e-4)  # exp(A_log)
    step = np.exp(rng.uniform(np.log(1e-3), np.log(1e-1), HEADS))
    dt_bias = step + np.log(-np.expm1(-step))  # softplus^-1 of the step
    return {
        "q": normalise(convolved(KEY)),
        "k": normalise(convolved(KEY)),
        "v": convolved(VALUE),
        "g": -decay_rate * softplus(project(HEADS) + dt_bias),
        "beta": sigmoid(project(HEADS)),
        "lambda": sigmoid(project(HEADS) - LAMBDA_BIAS),
    }


def make(text, folder):
    data = Path(text).read_bytes()[:TOKENS]
    if len(data) < TOKENS:
        sys.exit(f"error: expected {text} to have {TOKENS} bytes, but got {len(data)}")
    inputs = layer(np.frombuffer(data, np.uint8), np.random.default_rng(SEED))
    half = TOKENS // 2
    parts = {"first": slice(0, half), "second": slice(half, None), "whole": slice(None)}
    for part, tokens in parts.items():
        (Path(folder) / part).mkdir(parents=True, exist_ok=True)
        for name, x in inputs.items():
            batch = np.ascontiguousarray(x[None, tokens], np.float32)
            np.save(Path(folder) / part / f"{name}.npy", batch)
    print(f"{TOKENS} byte tokens of {text}, {HEADS} heads, K = {KEY}, V = {VALUE}")
    for name, x in inputs.items():
        print(f"  {name:7} {str(list(x.shape)):16} from {x.min():9.4f} to {x.max():.4f}")


def compare(folder):
    def load(part, name):
        return np.load(Path(folder) / part / f"{name}.npy").astype(np.float64)

    got = {
        "o": np.concatenate([load("first", "o"), load("second", "o")], axis=1),
        "S_final": load("second", "S_final"),
    }
    worst = 0.0
    print("output    rel rms")
    for name, x in got.items():
        wanted = load("whole", name)
        error = np.linalg.norm(x - wanted) / np.linalg.norm(wanted)
        worst = max(worst, error if np.isfinite(error) else np.inf)
        print(f"{name:8} {error:.2e}")
    if not worst <= TOLERANCE:
        sys.exit(f"error: expected at most {TOLERANCE:.0e}, but got {worst:.2e}")


def speed(file):
    for result in json.loads(Path(file).read_text())["results"]:
        threads, ns = result["threads"], result["ns_per_token_head"]
        heads = result["shape"]["B"] * result["shape"]["HV"]
        print(
            f"{threads} thread{'s' if threads > 1 else ' '}: "
            f"{1e9 / (ns * heads):9,.0f} tokens/s of {heads} heads, "
            f"{100 / result['floor_ratio']:3.0f} % of the FMA peak (1 / x floor)"
        )


if __name__ == "__main__":
    commands = {"make": (make, 2), "compare": (compare, 1), "speed": (speed, 1)}
    command, count = commands.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if command is None or len(sys.argv) != 2 + count:
        sys.exit(__doc__)
    command(*sys.argv[2:])
