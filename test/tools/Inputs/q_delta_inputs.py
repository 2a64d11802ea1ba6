"""Writes inputs of q_delta to a folder: q, k, v, g, beta, lambda, scale and S.

Usage: q_delta_inputs.py FOLDER B T H K V
"""
import sys

import numpy

folder, (B, T, H, K, V) = sys.argv[1], map(int, sys.argv[2:])
random = numpy.random.default_rng(5)


def save(name, array):
    numpy.save(f"{folder}/{name}.npy", array.astype("<f4"))


for name, size in {"q": K, "k": K, "v": V}.items():
    x = random.standard_normal((B, T, H, size))
    save(name, x / numpy.linalg.norm(x, axis=-1, keepdims=True))
save("g", -0.1 * numpy.abs(random.standard_normal((B, T, H))))
save("beta", random.random((B, T, H)))
save("lambda", random.random((B, T, H)))
save("scale", numpy.full(H, K**-0.5))
save("S", random.standard_normal((B, H, K, V)))
