"""Includes follow the arrows between the libraries: no room reaches upwards.

Usage: include_arrows.py ROOT, where ROOT holds lib/ and include/.
"""
import re
import sys
from pathlib import Path

# What a room's files may include, besides the standard library. A file's room
# is the longest entry that starts its path below lib/, include/qdelta/.
IR, TRANSFORMS = "Dialect/QDelta/IR", "Dialect/QDelta/Transforms"
COMPILER = {"mlir", "llvm"}
ALLOWED = {
    IR: {IR} | COMPILER,
    "Target": {"Target"} | COMPILER,
    # What runs kernels needs no compiler; what prepares them does.
    "Emulator": {"Emulator"},
    "Emulator/Prepare": {"Emulator", "Emulator/Prepare", ".."} | COMPILER,
    TRANSFORMS: {IR, TRANSFORMS, "Target"} | COMPILER,
    # Of qdelta-c only plain C constants that generated code and runtime share.
    "Conversion": {IR, TRANSFORMS, "Target", "Conversion", "qdelta-c"} | COMPILER,
    "Conversion/ChunkToGpu": {IR, TRANSFORMS, "Target", "Conversion",
                              "Conversion/ChunkToGpu", ".."} | COMPILER,
    "Conversion/ListToGpu": {IR, TRANSFORMS, "Target", "Conversion",
                             "Conversion/ListToGpu", ".."} | COMPILER,
    "Conversion/PrescanToGpu": {IR, TRANSFORMS, "Target", "Conversion",
                                "Conversion/PrescanToGpu", ".."} | COMPILER,
    # Of Runtime only what the writer and the reader of artefacts share.
    "Pipelines": {IR, TRANSFORMS, "Target", "Conversion", "Pipelines", "Emulator",
                  "Emulator/Prepare", "Runtime/ArtefactFormat", "qdelta-c"} | COMPILER,
    "Reference": {IR, "Reference", "Reference/Format"} | COMPILER,
    # How numbers are stored, which needs no compiler either.
    "Reference/Format": {"Reference/Format"},
    # Of Reference only that.
    "Runtime": {"Runtime", "Runtime/ArtefactFormat", "Reference/Format", "Emulator", "qdelta-c"},
    "Runtime/ArtefactFormat": set(),
    "qdelta-c": {"qdelta-c"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
SOURCES = {".c", ".cpp", ".h"}


def room_of(path):
    """The room of a path such as `Conversion/Passes.h`, or None."""
    rooms = [room for room in ALLOWED if path.startswith((room + "/", room + ".h"))]
    return max(rooms, key=len, default=None)


def target_of(include):
    """The room or project that an include names, or None for the rest."""
    if include.startswith("qdelta/"):
        return room_of(include.removeprefix("qdelta/")) or include
    top = include.split("/")[0]
    return top if top in COMPILER | {"qdelta-c", ".."} else None


def check_file(name, text):
    room = room_of(name.removeprefix("lib/").removeprefix("include/").removeprefix("qdelta/"))
    if room is None:
        yield f"{name}: no rule says what this folder may include"
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        target = match and target_of(match.group(1))
        if target and target not in ALLOWED[room]:
            yield f"{name}:{number}: {room} must not include {match.group(1)}"


def check(root):
    for base in ["include", "lib"]:
        for file in sorted((root / base).rglob("*")):
            if file.suffix in SOURCES:
                yield from check_file(file.relative_to(root).as_posix(), file.read_text())


if __name__ == "__main__":
    problems = list(check(Path(sys.argv[1])))
    print("\n".join(problems), file=sys.stderr)
    sys.exit(bool(problems))
