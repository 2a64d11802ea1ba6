"""Runs every model of lib/Models on engine `reference` and compares with the
token loop below, in numpy float64. The loops are written from the papers'
formulas, one step a model, and share no code with the compiler.

    oracle.py qdelta-run models-dir scratch-dir [model ...]

All in float64. Constants of a model are float32 numbers, here too. A result is
right if it is within 1e-10 of the loop's, relative to its array's largest entry.
"""

import os
import subprocess
import sys

import numpy as np

SIZES = {"B": 2, "T": 9, "H": 2, "HV": 4, "K": 6, "V": 5, "L": 5}
EPS6, EPS5 = float(np.float32(1e-6)), float(np.float32(1e-5))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(-abs(x))) + np.maximum(x, 0)


def silu(x):
    return x * sigmoid(x)


def delta(s, read, write, v, beta, g=0.0):
    """Decays, by g or one g per key channel, then corrects what is read at `read`
    by a write at `write`."""
    s["S"] = np.exp(np.reshape(g, (-1, 1))) * s["S"]
    s["S"] = s["S"] + beta * np.outer(write, v - read @ s["S"])


def additive(x, s, p):
    s["S"] = s["S"] + np.outer(x["k"], x["v"])
    return p["scale"] * x["q"] @ s["S"]


def additive_normalised(x, s, p):
    s["S"] = s["S"] + np.outer(x["k"], x["v"])
    s["z"] = s["z"] + x["k"]
    return x["q"] @ s["S"] / (x["q"] @ s["z"] + EPS6)


def retention(x, s, p):
    s["S"] = np.exp(p["g"]) * s["S"] + np.outer(x["k"], x["v"])
    return p["scale"] * x["q"] @ s["S"]


def lightning(x, s, p):
    decay = np.exp(-p["slope"] * (1 - p["depth"]))
    s["S"] = decay * s["S"] + np.outer(x["k"], x["v"])
    return p["scale"] * x["q"] @ s["S"]


def mamba2(x, s, p):
    decay = np.exp(-np.exp(p["A"]) * x["D"])
    s["S"] = decay * s["S"] + np.outer(x["D"] * x["B"], x["x"])
    return x["C"] @ s["S"] + p["skip"] * x["x"]


def gla(x, s, p):
    s["S"] = np.exp(x["g"])[:, None] * s["S"] + np.outer(x["k"], x["v"])
    return p["scale"] * x["q"] @ s["S"]


def delta_net(x, s, p):
    delta(s, x["k"], x["k"], x["v"], x["beta"])
    return p["scale"] * x["q"] @ s["S"]


def gated_delta_net(x, s, p):
    delta(s, x["k"], x["k"], x["v"], x["beta"], x["g"])
    return p["scale"] * x["q"] @ s["S"]


def kda(x, s, p):
    delta(s, x["k"], x["k"], x["v"], x["beta"], x["g"])
    return p["scale"] * x["q"] @ s["S"]


def rwkv6(x, s, p):
    o = x["r"] @ (s["S"] + np.outer(p["u"] * x["k"], x["v"]))
    s["S"] = np.exp(x["w"])[:, None] * s["S"] + np.outer(x["k"], x["v"])
    return o


def rwkv7(x, s, p):
    erased = np.outer(x["a"] * x["h"], x["h"] @ s["S"])
    s["S"] = np.exp(x["w"])[:, None] * s["S"] - erased + np.outer(x["k"], x["v"])
    return x["r"] @ s["S"]


def gated_oja(x, s, p):
    s["S"] = s["S"] * np.exp(x["gv"])
    s["S"] = s["S"] + x["beta"] * np.outer(x["k"] - s["S"] @ x["v"], x["v"])
    return p["scale"] * x["q"] @ s["S"]


def momentum_delta_net(x, s, p):
    error = x["p"] @ s["S"] - x["v"]
    s["M"] = np.exp(x["gm"]) * s["M"] + x["eta"] * np.outer(x["k"], error)
    s["S"] = np.exp(x["g"]) * s["S"] - x["beta"] * s["M"]
    return p["scale"] * x["q"] @ s["S"]


def q_delta(x, s, p):
    delta(s, x["k"] + x["lambda"] * x["q"], x["k"], x["v"], x["beta"], x.get("g", 0.0))
    return p["scale"] * x["q"] @ s["S"]


def delta_product(x, s, p):
    s["S"] = np.exp(x.get("g", 0.0)) * s["S"]
    for j in (1, 2, 3):
        if f"k{j}" in x:
            delta(s, x[f"k{j}"], x[f"k{j}"], x[f"v{j}"], x[f"b{j}"])
    return p["scale"] * x["q"] @ s["S"]


def preconditioned(x, s, p):
    s["A"] = np.exp(x["gp"]) * s["A"] + x["bp"] * x["k"] ** 2
    r = np.log(s["A"] + EPS6) - p["mu"]
    kt = np.exp(float(np.float32(-0.405465108)) * r / (1 + abs(r))) * x["k"]
    delta(s, x["k"], kt, x["v"], x["beta"], x.get("g", 0.0))
    return p["scale"] * x["q"] @ s["S"]


def mlstm(x, s, p):
    lf = -softplus(-x["f"])
    m = max(lf + s["m"], x["i"])
    f, i = np.exp(lf + s["m"] - m), np.exp(x["i"] - m)
    s["C"] = f * s["C"] + i * np.outer(x["k"], x["v"])
    s["n"] = f * s["n"] + i * x["k"]
    s["m"] = m
    q = p["scale"] * x["q"]
    return q @ s["C"] / (max(abs(q @ s["n"]), np.exp(-m)) + EPS6)


def rotated(x, s):
    """Advances the phases; q and k with each pair of channels turned by its phase."""
    s["phi"] = s["phi"] + x["theta"]
    half, c, n = len(s["phi"]), np.cos(s["phi"]), np.sin(s["phi"])

    def rotate(y):
        a, b = y[:half], y[half:]
        return np.concatenate([a * c - b * n, b * c + a * n])

    return rotate(x["q"]), rotate(x["k"])


def additive_rope(x, s, p):
    q, k = rotated(x, s)
    s["S"] = s["S"] + np.outer(k, x["v"])
    return p["scale"] * q @ s["S"]


def gla_rope(x, s, p):
    q, k = rotated(x, s)
    s["S"] = np.exp(x["g"])[:, None] * s["S"] + np.outer(k, x["v"])
    return p["scale"] * q @ s["S"]


def gated_delta_net_rope(x, s, p):
    q, k = rotated(x, s)
    delta(s, k, k, x["v"], x["beta"], x["g"])
    return p["scale"] * q @ s["S"]


def convolved(x, s, p):
    """q, k of norm 1 and v, after short convolutions; shifts the last tokens."""
    made = {}
    for name in "qkv":
        past = [x[name]] + [s[f"{name}{i}"] for i in (1, 2, 3)]
        made[name] = silu(sum(p[f"{name}w{i}"] * past[i] for i in range(4)))
        for i in (1, 2, 3):
            s[f"{name}{i}"] = past[i - 1]
    q, k = (made[n] / np.sqrt(made[n] @ made[n] + EPS6) for n in "qk")
    return q, k, made["v"]


def normed(q, s, p):
    y = p["scale"] * q @ s["S"]
    return y / np.sqrt((y * y).mean() + EPS5) * p["w"]


def layer(x, s, p):
    q, k, v = convolved(x, s, p)
    read = k
    if "l" in x:
        read = k + sigmoid(x["l"] - float(np.float32(0.9))) * q
    g = -np.exp(p["A"]) * softplus(x["a"] + p["dt"])
    delta(s, read, k, v, sigmoid(x["b"]), g)
    return normed(q, s, p) * silu(x["z"])


def kda_layer(x, s, p):
    q, k, v = convolved(x, s, p)
    g = -np.exp(p["A"]) * softplus(x["f"] + p["dt"])
    delta(s, k, k, v, sigmoid(x["b"]), g)
    return normed(q, s, p) * sigmoid(x["z"])


def kda_safe_layer(x, s, p):
    q, k, v = convolved(x, s, p)
    g = p["low"] * sigmoid(np.exp(p["A"]) * (x["f"] + p["dt"]))
    delta(s, k, k, v, sigmoid(x["b"]), g)
    return normed(q, s, p) * sigmoid(x["z"])


def fenwick(x, s, transition, written):
    """Full levels merge upwards, all make the token's transition, and level 0 becomes
    what it writes. Returns the sum of the levels' states by lambda."""
    levels = len(x["lambda"])
    S = s.setdefault("levels", np.zeros((levels,) + written.shape))
    count = s.setdefault("count", [0] * levels)
    for level in range(levels):
        if count[level] != 2 ** level:
            break
        S[level + 1] += S[level]
        count[level + 1] += count[level]
        S[level], count[level] = 0, 0
    S[:] = transition @ S
    S[0] = written
    count[0] += 1
    return np.tensordot(x["lambda"], S, 1)


def log_linear_mamba2(x, s, p):
    decay = np.exp(-np.exp(p["A"]) * x["D"])
    S = fenwick(x, s, decay * np.eye(len(x["B"])), np.outer(x["D"] * x["B"], x["x"]))
    return x["C"] @ S + p["skip"] * x["x"]


def log_linear_gated_delta_net(x, s, p):
    erase = np.eye(len(x["k"])) - x["beta"] * np.outer(x["k"], x["k"])
    S = fenwick(x, s, np.exp(x["g"]) * erase, x["beta"] * np.outer(x["k"], x["v"]))
    return p["scale"] * x["q"] @ S


# A value is a scalar, or runs over the named dimensions; "+" draws entries in
# [0, 1], "-" log decays, "1" vectors of norm 1, "L" a number a level. States, tokens, parameters.
QKV = {"q": "K1", "k": "K1", "v": "V"}
SCALE = {"scale": ""}
CONV = {f"{n}{i}": "V" if n == "v" else "K" for n in "qkv" for i in (1, 2, 3)}
WEIGHTS = {f"{n}w{i}": "V" if n == "v" else "K" for n in "qkv" for i in range(4)}
LAYER = {"q": "K", "k": "K", "v": "V", "z": "V", "a": "", "b": ""}
LAYER_PARAMS = {**WEIGHTS, "A": "", "dt": "", "w": "V", **SCALE}
STEPS = {j: {f"k{j}": "K1", f"v{j}": "V", f"b{j}": "+"} for j in (1, 2, 3)}
PRE = {"beta": "+", "gp": "-", "bp": "+"}
MODELS = {
    "additive": (additive, {"S": "KV"}, QKV, SCALE),
    "additive_normalised": (
        additive_normalised, {"z": "K+", "S": "KV"}, {"q": "K+", "k": "K+", "v": "V"}, {}),
    "retention": (retention, {"S": "KV"}, QKV, {"g": "-", **SCALE}),
    "lightning": (lightning, {"S": "KV"}, QKV, {"slope": "+", "depth": "+", **SCALE}),
    "mamba2": (mamba2, {"S": "KV"}, {"C": "K", "B": "K", "x": "V", "D": "+"},
               {"A": "", "skip": ""}),
    "log_linear_mamba2": (
        log_linear_mamba2, {},
        {"C": "K1", "B": "K1", "x": "V", "D": "+", "lambda": "L+"}, {"A": "", "skip": ""}),
    "log_linear_gated_delta_net": (
        log_linear_gated_delta_net, {}, {**QKV, "g": "-", "beta": "+", "lambda": "L+"}, SCALE),
    "gla": (gla, {"S": "KV"}, {**QKV, "g": "K-"}, SCALE),
    "kda": (kda, {"S": "KV"}, {**QKV, "g": "K-", "beta": "+"}, SCALE),
    "kda_safe": (kda, {"S": "KV"}, {**QKV, "g": "K-", "beta": "+"}, SCALE),
    "rwkv6": (rwkv6, {"S": "KV"}, {"r": "K", "k": "K", "v": "V", "w": "K-"}, {"u": "K"}),
    "rwkv7": (rwkv7, {"S": "KV"},
              {"r": "K", "k": "K", "v": "V", "w": "K-", "h": "K1", "a": "K+"}, {}),
    "delta_net": (delta_net, {"S": "KV"}, {**QKV, "beta": "+"}, SCALE),
    "gated_delta_net": (gated_delta_net, {"S": "KV"}, {**QKV, "g": "-", "beta": "+"}, SCALE),
    "gated_oja": (
        gated_oja, {"S": "KV"}, {"q": "K1", "k": "K1", "v": "V1", "gv": "V-", "beta": "+"}, SCALE),
    "momentum_delta_net": (
        momentum_delta_net, {"S": "KV", "M": "KV"},
        {**QKV, "p": "K1", "g": "-", "gm": "-", "beta": "+", "eta": "+"}, SCALE),
    "q_delta": (q_delta, {"S": "KV"}, {**QKV, "g": "-", "beta": "+", "lambda": "+"}, SCALE),
    "q_delta_ungated": (q_delta, {"S": "KV"}, {**QKV, "beta": "+", "lambda": "+"}, SCALE),
    "delta_product": (
        delta_product, {"S": "KV"}, {"q": "K1", **STEPS[1], **STEPS[2], **STEPS[3]}, SCALE),
    "gated_delta_product": (
        delta_product, {"S": "KV"}, {"q": "K1", **STEPS[1], **STEPS[2], "g": "-"}, SCALE),
    "preconditioned_delta_net": (
        preconditioned, {"A": "K+", "S": "KV"}, {**QKV, **PRE}, {"mu": "", **SCALE}),
    "preconditioned_gated_delta_net": (
        preconditioned, {"A": "K+", "S": "KV"}, {**QKV, "g": "-", **PRE}, {"mu": "", **SCALE}),
    "preconditioned_kda": (
        preconditioned, {"A": "K+", "S": "KV"}, {**QKV, "g": "K-", **PRE}, {"mu": "", **SCALE}),
    "mlstm": (mlstm, {"m": "", "n": "K", "C": "KV"}, {**QKV, "i": "", "f": ""}, SCALE),
    "additive_rope": (additive_rope, {"phi": "P", "S": "KV"}, {**QKV, "theta": "P"}, SCALE),
    "gla_rope": (gla_rope, {"phi": "P", "S": "KV"}, {**QKV, "theta": "P", "g": "K-"}, SCALE),
    "gated_delta_net_rope": (
        gated_delta_net_rope, {"phi": "P", "S": "KV"},
        {**QKV, "theta": "P", "g": "-", "beta": "+"}, SCALE),
    "gated_delta_net_layer": (layer, {**CONV, "S": "KV"}, LAYER, LAYER_PARAMS),
    "q_delta_layer": (layer, {**CONV, "S": "KV"}, {**LAYER, "l": ""}, LAYER_PARAMS),
    "kda_layer": (
        kda_layer, {**CONV, "S": "KV"},
        {"q": "K", "k": "K", "v": "V", "z": "V", "f": "K", "b": ""},
        {**LAYER_PARAMS, "dt": "K"}),
    "kda_safe_layer": (
        kda_safe_layer, {**CONV, "S": "KV"},
        {"q": "K", "k": "K", "v": "V", "z": "V", "f": "K", "b": ""},
        {**LAYER_PARAMS, "dt": "K", "low": "-"}),
}


def draw(random, lead, kind):
    sizes = {**SIZES, "P": SIZES["K"] // 2}
    shape = lead + [sizes[c] for c in kind if c in sizes]
    data = random.standard_normal(shape)
    if "+" in kind:
        data = random.random(shape)
    if "-" in kind:
        data = -0.3 * abs(data)
    if "1" in kind:
        data = data / np.sqrt((data * data).sum(-1, keepdims=True))
    return data


def check(run, models, scratch, name):
    step, states, tokens, params = MODELS[name]
    random = np.random.default_rng(sum(map(ord, name)))
    b, t, h, hv = (SIZES[s] for s in ("B", "T", "H", "HV"))
    inputs = {}
    for token, kind in tokens.items():
        heads = h if "K" in kind and "-" not in kind else hv
        inputs[token] = draw(random, [b, t, heads], kind)
    for param, kind in params.items():
        inputs[param] = draw(random, [hv], kind)
    for state, kind in states.items():
        inputs[state] = draw(random, [b, hv], kind)
    path = lambda what: os.path.join(scratch, f"{name}.{what}.npy")
    command = [run, os.path.join(models, name + ".mlir"), "--engine=reference", "--dtype=f64"]
    for what, data in inputs.items():
        np.save(path(what), data)
        command += ["--input", f"{what}={path(what)}"]
    results = ["o"] + [state + "_final" for state in states]
    for what in results:
        command += ["--output", f"{what}={path('out.' + what)}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    wanted = {what: [] for what in results}
    for item in range(b * hv):
        entry, head = divmod(item, hv)
        one = lambda what, *at: np.float64(inputs[what][at])
        s = {state: one(state, entry, head) for state in states}
        p = {param: one(param, head) for param in params}
        o = []
        for time in range(t):
            x = {token: one(token, entry, time, head * inputs[token].shape[2] // hv)
                 for token in tokens}
            o.append(step(x, s, p))
        wanted["o"].append(np.array(o))
        for state in states:
            wanted[state + "_final"].append(s[state])
    worst = 0.0
    for what, parts in wanted.items():
        found = np.load(path("out." + what))
        whole = np.array(parts).reshape((b, hv) + np.shape(parts[0]))
        if what == "o":
            whole = whole.transpose(0, 2, 1, 3)
        error = abs(found - whole).max() / abs(whole).max()
        if found.dtype != np.float64 or found.shape != whole.shape or not error <= 1e-10:
            sys.exit(f"{name}: {what} differs from the token loop by {error:.2e}")
        worst = max(worst, error)
    print(f"{name}: right, {worst:.1e}")


def main():
    run, models, scratch, *names = sys.argv[1:]
    os.makedirs(scratch, exist_ok=True)
    files = {f[:-5] for f in os.listdir(models) if f.endswith(".mlir")}
    if files - set(MODELS):
        sys.exit(f"no token loop for {', '.join(sorted(files - set(MODELS)))}")
    for name in names or sorted(MODELS):
        check(run, models, scratch, name)


main()
