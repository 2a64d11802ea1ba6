#!/usr/bin/env python3
"""Writes the table of models in docs/Status.md, between its two markers.

    model_facts.py            writes the table
    model_facts.py --check    fails if it is stale

Lines are those of a model's step, without comments and empty lines. All else is
what `qdelta-opt -qdelta-derive-affine -qdelta-print-facts` prints; that the chunk
form has as many Gram matrices is checked. qdelta-opt comes from PATH or build/bin.

Part of qdelta, under the Apache License 2.0 (see LICENSE).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "Status.md"
BEGIN, END = "<!-- model_facts.py: begin -->\n", "<!-- model_facts.py: end -->\n"
HEADER = """| model | lines of its step | decay | base reads | writes, unknown ones | Gram matrices |
|---|---|---|---|---|---|
"""
CHUNKED = (
    "builtin.module(qdelta-to-recurrence{key=6 value=5},qdelta-to-affine,"
    "qdelta-to-chunked{engine=scalar chunk=2})"
)


def opt(*args):
    path = f"{os.environ['PATH']}:{ROOT / 'build' / 'bin'}"
    command = ["qdelta-opt", *map(str, args)]
    found = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    if found.returncode:
        sys.exit(f"error: {' '.join(command)} failed:\n{found.stderr}")
    return found.stdout


def count_lines(model):
    lines = [line.split("//")[0].strip() for line in model.read_text().splitlines()]
    start = next(i for i, line in enumerate(lines) if line.endswith("{"))
    return sum(1 for line in lines[start + 1 : lines.index("}")] if line)


def row(model):
    printed = opt(model, "-qdelta-derive-affine", "-qdelta-print-facts", "-o", os.devnull)
    lists = [dict(re.findall(r"(\w+) = (\w+)", line)) for line in printed.splitlines()]
    grams = sum(int(facts["grams"]) for facts in lists)
    made = opt(model, f"--pass-pipeline={CHUNKED}").count("qdelta.chunk_gram")
    if made != grams:
        sys.exit(f"error: {model.name}: the facts say {grams} Gram matrices, the chunk form has {made}")
    cells = [f"`{model.stem}`", str(count_lines(model))]
    for key in ("decay", "reads", "writes", "grams"):
        cells.append(" + ".join(facts[key].replace("_", " ") for facts in lists))
    unknown = " + ".join(facts["unknown"] for facts in lists)
    cells[4] += f", {unknown}"
    return "| " + " | ".join(cells) + " |\n"


def main():
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        sys.exit(f"error: expected no argument or --check, but got '{' '.join(arguments)}'")
    page = PAGE.read_text()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        sys.exit(f"error: expected {PAGE} to have the lines '{BEGIN.strip()}' and '{END.strip()}' once")
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    table = HEADER + "".join(row(model) for model in sorted((ROOT / "lib" / "Models").glob("*.mlir")))
    if not arguments:
        PAGE.write_text(before + BEGIN + table + END + after)
    elif old != table:
        sys.exit("error: the table of models in docs/Status.md is stale; run tools/dev/model_facts.py")
    else:
        print("the table of models in docs/Status.md is fresh")


if __name__ == "__main__":
    main()
