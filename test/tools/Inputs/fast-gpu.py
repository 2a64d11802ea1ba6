#!/usr/bin/env python3
"""Stands for nvidia-smi, qdelta-run and qdelta-bench on a machine with a GPU."""
import os
import sys

name = os.path.basename(sys.argv[0])
if name == "nvidia-smi":
    print("Fast GPU, 600.1")
elif name == "qdelta-run":
    print("o 1e-3 1e-3 1e-3 1.00 right")
    print("S_final 1e-3 1e-3 1e-3 1.00 right")
else:
    print('{"results": [{"times": {"ms": 2.0, "floor_ms": 0.5}}]}')
