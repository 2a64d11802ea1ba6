"""FileCheck ignores a directive without its colon; nobody else notices.

Usage: filecheck_directives.py FOLDER...
"""
import re
import sys
from pathlib import Path

PREFIXES = re.compile(r"--?check-prefix(?:es)?[= ]([\w,-]+)")
SUFFIX = r"(?:-(?:LABEL|NEXT|SAME|NOT|DAG|EMPTY|COUNT-\d+))?"


def check(file):
    lines = file.read_text().splitlines()
    prefixes = {"CHECK"}
    for line in lines:
        for match in PREFIXES.finditer(line):
            prefixes.update(match.group(1).split(","))
    names = "|".join(sorted(map(re.escape, prefixes), key=len, reverse=True))
    dead = re.compile(rf"^\s*(?://|#)\s*(?:{names}){SUFFIX}(?![\w:{{-])")
    # CHECK_NEXT and the like are never directives either.
    misspelt = re.compile(rf"^\s*(?://|#)\s*(?:{names})[-_](?:[A-Z]+)[:\s]")
    live = re.compile(rf"^\s*(?://|#)\s*(?:{names}){SUFFIX}(?:\{{[A-Z]+\}})?:")
    used = set()
    for number, line in enumerate(lines, 1):
        if live.match(line):
            used.add(re.match(rf"\s*(?://|#)\s*({names})", line).group(1))
        elif dead.match(line):
            yield f"{file}:{number}: directive without a colon: {line.strip()}"
        elif misspelt.match(line):
            yield f"{file}:{number}: not a directive: {line.strip()}"
    for prefix in sorted(prefixes - used - {"CHECK"}):
        yield f"{file}: prefix {prefix} has no directive"


def main(folders):
    problems = []
    for folder in folders:
        for file in sorted(Path(folder).rglob("*")):
            inputs = "Inputs" in file.relative_to(folder).parts
            if file.suffix in {".mlir", ".test"} and not inputs:
                problems += check(file)
    print("\n".join(problems), file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
