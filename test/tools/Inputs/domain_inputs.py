"""Writes inputs of gated_delta_net and gla to a folder, some outside their domains.

Usage: domain_inputs.py FOLDER
"""
import sys

import numpy

folder = sys.argv[1]
random = numpy.random.default_rng(5)


def save(name, array):
    numpy.save(f"{folder}/{name}.npy", array.astype("<f4"))


logs = -0.1 * numpy.abs(random.standard_normal((2, 7, 3)))
save("logs", logs)
logs[1, 4, 2] = 0.25
save("positive", logs)
logs[1, 4, 2] = numpy.nan
save("nan", logs)
betas = random.random((2, 7, 3))
betas[0, 6, 1] = 1.5
save("betas", betas)
keys = random.standard_normal((2, 7, 3, 16))
keys /= numpy.linalg.norm(keys, axis=-1, keepdims=True)
keys[0, 2] *= 0
save("keys", keys)
keys[1, 3, 0] *= 1.125
save("long", keys)
save("growing", 0.05 * random.standard_normal((2, 7, 3, 16)))
save("some", 0.05 * random.standard_normal((2, 7, 3)))
