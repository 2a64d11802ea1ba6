"""Makes logs at the ends of what e^x covers, and compares e^x with numpy's.

Usage: vector-exp.py make V.npy | vector-exp.py check V.npy O.npy

A number is right within 1 ulp, within 6 from 88.5 on; numbers below 2^-126 may
be 0, and there is no number above the largest one but infinity.
"""
import sys

import numpy

LOGS = [-numpy.inf, -1e9, -104, -88, -87.8, -87.5, -87.3, -80, -30, -1, -1e-8, 0, 1e-8,
        0.3, 1, 30, 80, 88, 88.3, 88.37, 88.4, 88.49, 88.51, 88.6, 88.7, 88.72, 88.73, 89,
        100, 1e9, numpy.inf, numpy.nan]


def is_right(log, got):
    with numpy.errstate(over="ignore"):
        wanted = numpy.exp(numpy.float64(log))
    if numpy.isnan(wanted) or wanted > numpy.finfo(numpy.float32).max:
        return numpy.array_equal(got, numpy.float32(wanted), equal_nan=True)
    if wanted < 2.0**-126:
        return abs(got - wanted) <= wanted
    ulps = abs(got - wanted) / numpy.spacing(numpy.float32(wanted))
    return ulps <= (6 if log > 88.5 else 1)


if sys.argv[1] == "make":
    logs = numpy.array(LOGS, dtype=numpy.float32)
    numpy.save(sys.argv[2], logs.reshape(1, 2, 1, 16))
else:
    logs, got = (numpy.load(name).ravel() for name in sys.argv[2:])
    wrong = [i for i in range(len(logs)) if not is_right(logs[i], got[i])]
    print(f"{len(logs)} numbers, {len(wrong)} wrong")
    for i in wrong:
        print(f"e^{logs[i]!r} = {numpy.exp(numpy.float64(logs[i]))}, but got {got[i]!r}")
