"""Machine code of NVIDIA GPUs as nvdisasm prints it: which registers an
instruction reads and writes, and which instructions a warp executes."""
import re
import subprocess
from collections import namedtuple

STORES = ("STS", "STSM", "STG", "BAR", "SYNCS", "UTMASTG", "UTMALDG", "BRA", "R2P", "RED", "ATOMS")
WORD = 0xFFFFFFFF

Instruction = namedtuple("Instruction", "guard op operands text reads writes")


def registers(op, place, token):
    """Registers that an operand stands for, each by its name."""
    found = []
    for file, number, wide in re.findall(r"(?<![A-Z_])(UR|UP|R|P)(\d+)((?:\.reuse)?\.64)?", token):
        count = 1
        if "[" in token:
            count = 2 if wide or file == "UR" and "desc" in token else 1
        elif file in ("P", "UP"):
            count = 1
        elif op.startswith("HGMMA"):
            count = int(re.search(r"64x(\d+)x", op).group(1)) // 2 if place in (0, 3) else 4
        elif op.startswith("HMMA"):
            count = (4, 4, 2, 4)[place]
        elif op.startswith(("LDSM", "STSM")):
            count = int(op[-1]) if op[-1] in "24" else 1
        elif ".128" in op:
            count = 4
        elif (".64" in op and not op.startswith("SYNCS")) or op == "CS2R" or ".WIDE" in op and place in (0, 3):
            count = 2
        found += [f"{file}{int(number) + i}" for i in range(count)]
    return found


def instruction(text):
    """One line of nvdisasm, without its address."""
    guard = ""
    if text.startswith("@"):
        guard, text = text[1:].split(None, 1)
    op, _, rest = text.partition(" ")
    operands = [part.strip() for part in re.split(r",(?![^\[]*\])", rest)] if rest else []
    results = 0
    if not op.startswith(STORES) or op.endswith("TRYWAIT"):
        results = 1
        # A predicate comes before a result of its own, or is a carry after it.
        first_is_predicate = re.match(r"U?P[0-9T]", operands[0]) if operands else None
        second_is_predicate = re.match(r"U?P\d", operands[1]) if len(operands) > 1 else None
        if not op.startswith("VOTE") and len(operands) > 1 and (first_is_predicate or second_is_predicate):
            results = 2
    parts = [registers(op, place, token) for place, token in enumerate(operands)]
    reads = sum(parts[results:], registers(op, 0, guard)) + [
        name for token in operands[:results] if "[" in token for name in registers(op, 0, token)]
    return Instruction(guard, op, operands, text, reads, sum(parts[:results], []))


def load(nvdisasm, cubin):
    """A cubin's instructions, and the places of its labels."""
    text = subprocess.run([nvdisasm, "-c", cubin], capture_output=True, text=True, check=True).stdout
    program, labels = [], {}
    for line in text.splitlines():
        if label := re.match(r"(\.L_\w+):", line.strip()):
            labels[label.group(1)] = len(program)
        elif found := re.match(r"\s*/\*[0-9a-f]+\*/\s+(.*?)\s*;", line):
            program.append(instruction(found.group(1)))
    return program, labels


class Thread:
    """The first thread of a warp, as far as its number decides what it does:
    registers and predicates that follow from it have values, others have none."""

    def __init__(self, number):
        self.number = number
        self.known = {"PT": True, "UPT": True, "RZ": 0, "URZ": 0}

    def value(self, token):
        token = token.replace(".reuse", "")
        sign = -1 if token.startswith("-") else 1
        token = token.lstrip("-+")
        if token.startswith("!"):
            inner = self.value(token[1:])
            return None if inner is None else not inner
        if re.fullmatch(r"0x[0-9a-f]+|\d+", token):
            return sign * int(token, 0) & WORD
        inner = self.known.get(token)
        return inner if inner is None or isinstance(inner, bool) else sign * inner & WORD

    def runs(self, instr):
        return self.value(instr.guard) if instr.guard else True

    def step(self, instr):
        made = self.compute(instr.op.split("."), instr.operands)
        sure = self.runs(instr)
        if sure is False:
            return
        for place, name in enumerate(instr.writes):
            self.known[name] = made if place == 0 and sure else None

    def compute(self, op, operands):
        """The first result, if it is known."""
        if op[0] == "S2R" and operands[1] == "SR_TID.X":
            return self.number
        if op[0] == "ELECT":
            return True
        # A warp asks whether it has a number that is not finite.
        if op[0] == "VOTE":
            return False
        a = [self.value(token) for token in operands[1:]]
        name = op[0].removeprefix("U")
        if name in ("ISETP", "PLOP3", "LOP3"):
            return self.decide(name, op, operands, a)
        if None in a or not a or operands[0].startswith(("P", "UP")) or "X" in op or "64" in op:
            return None
        if name in ("MOV", "R2UR") or op[:2] == ["IMAD", "MOV"]:
            return a[-1]
        if name in ("IADD3", "VIADD"):
            return sum(a) & WORD
        if name == "IMAD" and "WIDE" not in op and "HI" not in op:
            return (a[0] * a[1] + a[2]) & WORD
        if name == "LEA":
            if "HI" in op:
                return (((a[2] << 32 | a[0]) << a[3] >> 32) + a[1]) & WORD
            return ((a[0] << a[2]) + a[1]) & WORD
        if name == "SHF":
            signed = a[2] - (a[2] >> 31 << 32) if "S32" in op else a[2]
            return (signed >> a[1] if "R" in op else a[0] << a[1]) & WORD
        if name == "SGXT" and "U32" in op:
            return a[0] & (1 << a[1]) - 1
        return None

    @staticmethod
    def decide(name, op, operands, a):
        """Comparisons and logic, which may be known where an operand is not."""
        if name == "ISETP":
            x, y, other = a[1], a[2], a[3]
            if "U32" not in op and None not in (x, y):
                x, y = (v - (v >> 31 << 32) for v in (x, y))
            test = None if None in (x, y) else {
                "LT": x < y, "LE": x <= y, "GT": x > y, "GE": x >= y, "EQ": x == y, "NE": x != y}[op[1]]
            absorbs = "OR" in op
            if absorbs in (test, other):
                return absorbs
            return None if None in (test, other) else not absorbs
        shift = 1 if operands[0].startswith(("P", "UP")) else 0
        inputs, table = a[shift:shift + 3], a[shift + 3]
        if None in (inputs if name == "LOP3" else [table]):
            return None
        if name == "PLOP3":
            options = [(False, True) if v is None else (v,) for v in inputs]
            seen = {bool(table >> (4 * x + 2 * y + z) & 1)
                    for x in options[0] for y in options[1] for z in options[2]}
            return seen.pop() if len(seen) == 1 else None
        x, y, z = inputs
        result = 0
        for row in range(8):
            if table >> row & 1:
                result |= (x if row & 4 else ~x) & (y if row & 2 else ~y) & (z if row & 1 else ~z)
        result &= WORD
        return result != 0 if shift else result


def walk(program, labels, warp):
    """Where the loop over chunks starts that a warp comes to, and what it executes
    in the second chunk; None if it comes to no such loop. Branches that the warp's
    number does not decide are not taken: loops that wait are left at once, tokens
    are there. Votes are taken to be false: all numbers are finite. The loop over
    chunks is the one with a barrier of the CTA in it."""
    thread, at, trace, chunks = Thread(32 * warp), 0, [], 0
    for _ in range(1_000_000):
        instr = program[at]
        taken = thread.runs(instr)
        trace.append(instr)
        if instr.op == "EXIT" and taken:
            return None
        at += 1
        if not instr.op.startswith("BRA"):
            thread.step(instr)
            continue
        target = labels[re.search(r"\.L_\w+", instr.text).group(0)]
        body = program[target:at]
        if target < at and taken is not False and any(i.op.startswith("BAR") for i in body):
            chunks += 1
            if chunks == 2:
                return target, trace
            trace = []
            at = target
        elif taken:
            at = target
    raise SystemExit(f"error: warp {warp} does not come to the end of a chunk")
