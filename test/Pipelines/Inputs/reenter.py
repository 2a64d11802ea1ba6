"""Writes out every phase of a compilation and runs on from each of them.

Usage: reenter.py FOLDER SOURCE [OPTION...], with a file or --model=M as SOURCE
and options of qdelta-compile and qdelta-run. Every phase has to compile on to
the dumps of the later phases, and to give the same numbers, bit by bit.
"""
import shutil
import subprocess
import sys
from pathlib import Path

PHASES = ["recurrence", "affine", "chunked", "linalg", "buffers", "target"]
SHAPE = "B=2,T=19,H=2,HV=4,K=20,V=36"


def call(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def run(folder, source, options):
    """Runs `source`, checks it, and returns its outputs' bytes."""
    outputs = [folder / "o.npy", folder / "S_final.npy"]
    call("qdelta-run", source, *options, "--shape", SHAPE, "--seed=3", "--check-against=reference",
         *[f"--output={output.stem}={output}" for output in outputs])
    contents = [output.read_bytes() for output in outputs]
    for output in outputs:
        output.unlink()
    return contents


def main(folder, source, *options):
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "again").mkdir(parents=True)
    call("qdelta-compile", source, *options, "--shape", "K=20,V=36", "--dump-phases-to", folder)
    wanted = run(folder, source, options)
    for index, phase in enumerate(PHASES):
        dump, start = folder / f"{phase}.mlir", f"--compile-from={phase}"
        if run(folder, dump, [*options, start]) != wanted:
            sys.exit(f"FAILED: {dump} gives other numbers than {source}")
        for later in PHASES[index + 1:]:
            again = folder / "again" / f"{phase}-{later}.mlir"
            call("qdelta-compile", dump, *options, start, f"--compile-to={later}", "-o", again)
            if again.read_text().strip() != (folder / f"{later}.mlir").read_text().strip():
                sys.exit(f"FAILED: {again} differs from {folder / later}.mlir")
    print(f"{len(PHASES)} phases re-enter")


if __name__ == "__main__":
    main(*sys.argv[1:])
