"""Whether two .npy files hold the same numbers, to a relative error of 1e-6.

Usage: same_arrays.py A.npy B.npy
"""
import sys

import numpy

a, b = (numpy.load(path).astype(numpy.float64) for path in sys.argv[1:])
assert a.shape == b.shape, (a.shape, b.shape)
error = numpy.linalg.norm(a - b) / numpy.linalg.norm(b)
print("same" if error < 1e-6 else f"error {error}")
