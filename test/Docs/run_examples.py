#!/usr/bin/python3
"""Runs the examples of Markdown pages and compares what they print.

    run_examples.py PAGE.md...

An example is a block fenced as ```console. Lines that start with `$ ` are
commands, continued by a backslash at the end; the lines up to the next command
are their output. Numbers may differ, words may not; a line `...` stands for any
lines. Tools come from PATH: `build/bin/` is dropped. Commands of a page run one
after the other in a scratch folder that sees the repository's docs and lib.

Part of qdelta, under the Apache License 2.0 (see LICENSE).
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"(?:[-+]?\b\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?\b|\binf\b)")


def examples(page):
    """(line number, command, expected lines) of each command of a page."""
    inside, found = False, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append((number, line[2:], []))
        elif inside and found and found[-1][1].endswith("\\"):
            start, command, _ = found[-1]
            found[-1] = (start, command[:-1] + line.strip(), [])
        elif inside and found:
            found[-1][2].append(line)
        elif inside:
            sys.exit(f"{page}:{number}: error: expected a command, but got '{line}'")
    return found


def pattern(lines):
    """A regular expression for output lines in which numbers may differ."""
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*")
            continue
        words = [re.escape(w) for w in NUMBER.sub("\0", line).split()]
        wanted = r"[ ]+".join(words).replace(re.escape("\0"), NUMBER.pattern)
        parts.append(r"[ ]*" + wanted + r"[ ]*\n")
    return re.compile("".join(parts))


def run(page, folder):
    failures = 0
    for number, command, wanted in examples(page):
        got = subprocess.run(
            ["bash", "-c", command.replace("build/bin/", "")],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # A page shows an error by the words that the tool prints.
        shows_error = any("error: " in line for line in wanted)
        if (got.returncode != 0) == shows_error and pattern(wanted).fullmatch(got.stdout):
            continue
        failures += 1
        print(f"{page}:{number}: error: exit code {got.returncode} of: {command}")
        print("expected:", *wanted, "got:", got.stdout, sep="\n")
    return failures


def main():
    count = failures = 0
    for page in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("docs", "lib"):
                (Path(folder) / name).symlink_to(ROOT / name)
            failures += run(page, folder)
        count += len(examples(page))
    if count == 0:
        sys.exit("error: expected examples, but found none")
    if failures:
        sys.exit(f"error: {failures} of {count} examples differ")
    print(f"{count} examples as shown")


if __name__ == "__main__":
    main()
