"""Makes numbers of all sizes, and compares a function of them with the C library's.

Usage: vector-functions.py make NAME V.npy | vector-functions.py check NAME V.npy O.npy

The numbers are ordinary ones, those where the function has another case, and
every exponent and sign with a few mantissas, in an order that mixes them: a
row has rare numbers beside ordinary ones. A number is right within the ulps of
BOUNDS, of the result in float64; e^x below 2^-125.5 may be 0. "share" is e^(c s) of
the float32 quotient s = x / (1 + |x|), "above" is log(1 + e^-|x|).
"""
import math
import sys

import numpy

BOUNDS = {"exp": 1.0, "log": 1.0, "log1p": 1.6, "sin": 1.6, "cos": 1.6,
          "share": 1.0, "above": 2.6}
SPECIAL = [numpy.inf, -numpy.inf, numpy.nan, 0.0, -0.0, 1.0, -1.0, -1e-45, 1e-45, 1e-40,
           2.0**-126, 2.0**126, 3.4028235e38, -3.4028235e38]
ORDINARY = {
    "exp": [-104, -88, -87.8, -87.3, -86.9, -80, -30, -1e-8, 1e-8, 0.3, 30, 80, 88, 88.3,
            88.37, 88.49, 88.51, 88.6, 88.7, 88.72, 88.73, 89, 100, 1e9],
    "log": [0.66, 0.67, 0.99999994, 1.0000001, 1.33, 1.34, 2],
    "log1p": [-0.99999994, -0.9999, -0.5, -0.34, -0.33, -1e-8, 1e-8, 0.33, 0.34, 1e9],
    "sin": [k * math.pi / 2 for k in range(-9, 10)]
    + [1048575.9, 1048576, 1048577, 16367173.0 * 2.0**72, -16367173.0 * 2.0**72, 1e22],
}
ORDINARY["cos"] = ORDINARY["sin"]
ORDINARY["share"] = ORDINARY["above"] = ORDINARY["exp"]
WIDTH = 144


def numbers(name):
    random = numpy.random.default_rng(7)
    bits = (numpy.arange(512, dtype=numpy.uint32) << 23)[:, None]
    bits = bits + random.integers(0, 1 << 23, size=(512, 8), dtype=numpy.uint32)
    near = random.uniform(-4, 4, 2000)
    far = random.uniform(-90, 90, 2000)
    phases = random.uniform(-1.1e6, 1.1e6, 2000)
    made = [numpy.float32(part).ravel()
            for part in (SPECIAL, ORDINARY[name], bits.view(numpy.float32), near, far, phases)]
    made = numpy.concatenate(made)
    made = numpy.concatenate([made, made[:-len(made) % WIDTH]])
    random.shuffle(made)
    return made


def wanted(name, x):
    if name == "share":
        with numpy.errstate(all="ignore"):
            part = numpy.float32(x) / (numpy.float32(1) + abs(numpy.float32(x)))
        return math.exp(float(numpy.float32(-0.405465108)) * float(part))
    if name == "above":
        return math.log1p(math.exp(-abs(x)))
    function = getattr(math, name)
    if math.isnan(x) or (name in ("sin", "cos") and math.isinf(x)):
        return math.nan
    try:
        return function(x)
    except OverflowError:
        return math.inf
    except ValueError:
        # The logarithms of 0 and less.
        return -math.inf if x == (-1 if name == "log1p" else 0) else math.nan


def is_right(name, x, got):
    exact = wanted(name, float(x))
    if math.isnan(exact):
        return math.isnan(got)
    with numpy.errstate(over="ignore"):
        nearest = numpy.float32(exact)
    if numpy.isinf(nearest):
        return got == nearest
    if name in ("exp", "above") and exact < 2.0**-125.5:
        return 0 <= got <= 2 * exact
    ulp = float(numpy.spacing(max(abs(nearest), numpy.float32(2.0**-126))))
    return abs(float(got) - exact) <= BOUNDS[name] * ulp


if sys.argv[1] == "make":
    made = numbers(sys.argv[2])
    numpy.save(sys.argv[3], made.reshape(1, -1, 1, WIDTH))
    print(f"T={len(made) // WIDTH}")
else:
    name = sys.argv[2]
    given, got = (numpy.load(file).ravel() for file in sys.argv[3:])
    wrong = [i for i in range(len(given)) if not is_right(name, given[i], got[i])]
    print(f"{name}: {len(given)} numbers, {len(wrong)} wrong")
    for i in wrong[:20]:
        print(f"{name}({given[i]!r}) = {wanted(name, float(given[i]))}, but got {got[i]!r}")
