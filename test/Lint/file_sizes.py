"""No source file grows past 800 lines.

Usage: file_sizes.py ROOT
"""
import sys
from pathlib import Path

LIMIT = 800
FOLDERS = ["include", "lib", "test", "tools"]


def check(root):
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in {".cpp", ".h", ".td"}:
                continue
            lines = file.read_text().count("\n")
            if lines > LIMIT:
                yield f"{file}: {lines} lines, more than {LIMIT}"


if __name__ == "__main__":
    problems = list(check(Path(sys.argv[1])))
    print("\n".join(problems), file=sys.stderr)
    sys.exit(bool(problems))
