"""Copies an MLIR bytecode file with its first dialect version raised to 127.

The version section is: id 7, length 1, the version, each a one-byte varint.
"""
import re
import sys

source, target = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read()
raised, count = re.subn(rb"\x07\x03.", b"\x07\x03\xff", data, count=1, flags=re.DOTALL)
assert count == 1, "no version section"
with open(target, "wb") as file:
    file.write(raised)
