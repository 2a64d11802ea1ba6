"""Runs a command for every combination of its options' values.

Usage: sweep.py COMMAND [ARGUMENT...], where @(a|b|c) inside a word
stands for each of a, b, c in turn. Every run has to exit with 0 and, if it
checks outputs, to call each of them right. Prints the failures and a count.
"""
import itertools
import re
import subprocess
import sys


def expand(word):
    """The words that `word` stands for."""
    parts = re.split(r"@\(([^)]*)\)", word)
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(choice) for choice in itertools.product(*choices)]


def run(command):
    """What went wrong with `command`, or nothing."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    if any(word.startswith("--check-against") for word in command):
        # Below the line that names the run, that of counts and the heading.
        lines = [line for line in done.stdout.splitlines() if line]
        start = next((i for i, line in enumerate(lines) if line.endswith("verdict")), len(lines))
        rows = lines[start + 1:]
        if not rows or not all(row.endswith(" right") for row in rows):
            return f"not every output is right\n{done.stdout}"
    return ""


def main(words):
    commands = list(itertools.product(*map(expand, words)))
    failed = 0
    for command in commands:
        problem = run(command)
        if problem:
            failed += 1
            print("FAILED:", " ".join(command), problem, sep="\n")
    print(f"{len(commands) - failed} of {len(commands)} runs right")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
