"""Every pass has a test file of its name that runs it.

Usage: pass_tests.py ROOT. A pass `qdelta-some-words` of a Passes.td below
ROOT/include wants ROOT/test/<folder>/some-words.mlir with -qdelta-some-words
in a RUN line.
"""
import re
import sys
from pathlib import Path

FLAG = re.compile(r'^def\s+\w+\s*:\s*Pass<"([^"]+)"', re.MULTILINE)


def runs(file, flag):
    """Whether a RUN line of `file` names `flag`, alone or in a pipeline."""
    lines = [line for line in file.read_text().splitlines() if "RUN:" in line]
    return any(re.search(rf"\b{re.escape(flag)}(?![\w-])", line) for line in lines)


def check(root):
    flags = [flag for td in sorted((root / "include").rglob("Passes.td"))
             for flag in FLAG.findall(td.read_text())]
    if not flags:
        yield "no pass in any Passes.td"
    for flag in flags:
        name = flag.removeprefix("qdelta-") + ".mlir"
        if not any(runs(file, flag) for file in root.glob(f"test/*/{name}")):
            yield f"{flag}: no test/<folder>/{name} runs it"


if __name__ == "__main__":
    problems = list(check(Path(sys.argv[1])))
    print("\n".join(problems), file=sys.stderr)
    sys.exit(bool(problems))
