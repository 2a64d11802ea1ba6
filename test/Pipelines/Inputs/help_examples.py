"""Runs the examples that TOOL --help shows; prints each with its exit code.

Usage: help_examples.py TOOL [OPTION...]; the options are added to each example.
"""
import re
import subprocess
import sys


def main(tool, *options):
    text = subprocess.run([tool, "--help"], capture_output=True, text=True, check=True).stdout
    block = re.search(r"^Examples:\n((?:  .*\n)+)", text, re.MULTILINE)
    if not block:
        sys.exit(f"{tool} --help shows no examples")
    failed = False
    for line in block.group(1).splitlines():
        done = subprocess.run([*line.split(), *options], capture_output=True, text=True)
        print(f"{line.strip()}: exit code {done.returncode}")
        if done.returncode != 0:
            failed = True
            print(done.stdout, done.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
