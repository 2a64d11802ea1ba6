"""Runs a recurrence on log decays below their bound, and on the same with the bound in
their place, and compares the bits of what comes out.

    broken_bounds.py FILE FOLDER COMMAND ...
"""
import os
import subprocess
import sys

import numpy as np

model, folder, *command = sys.argv[1:]
LOWER, B, T, HV, K = -5.0, 1, 70, 2, 32

random = np.random.default_rng(1)
logs = LOWER * random.random((B, T, HV, K))
for value in (-5.5, -100.0, -1e30, -np.inf):
    logs[random.random(logs.shape) < 0.05] = value
results = {}
for name, data in (("broken", logs), ("kept", np.maximum(logs, LOWER))):
    path = os.path.join(folder, f"{name}.g.npy")
    out = os.path.join(folder, f"{name}.o.npy")
    # The upper half of an f32 number is a bf16 one, as ml_dtypes saves it.
    single = data.astype("<f4")
    narrow = (single.view("<u4") >> 16).astype("<u2").view("V2")
    np.save(path, narrow if "--dtype=bf16" in command else single)
    subprocess.run([*command, model, "--input", f"g={path}", "--output", f"o={out}",
                    f"--shape=B={B},T={T},H={HV},K={K},V=32"], check=True, stdout=subprocess.DEVNULL)
    results[name] = np.load(out)
words = results["kept"].view("<u2" if results["kept"].itemsize == 2 else "<u4")
finite = ((words >> (7 if words.itemsize == 2 else 23)) & 0xFF != 0xFF).all()
same = results["broken"].tobytes() == results["kept"].tobytes()
print(f"{'finite' if finite else 'not finite'}, {'same' if same else 'different'} bits")
