"""Prints a module of random recurrences over two or three matrix states: decays,
reads, writes of inputs and readouts, and mixes, in any order.

    coupled_lists.py SEED COUNT
"""
import random
import sys


def recurrence(rng, name):
    states = "ABC"[: rng.randint(2, 3)]
    version = {s: f"%{s}" for s in states}
    lines, reads, scalars, values = [], [], [], 0

    def scalar(letter, domain):
        known = [name for name, of in scalars if of == domain]
        if known and rng.random() < 0.4:
            return rng.choice(known)
        scalars.append((f"%{letter}{len(scalars)}", domain))
        return scalars[-1][0]

    def define(op):
        nonlocal values
        values += 1
        lines.append(f"  %t{values} = {op}")
        return f"%t{values}"

    def change(state, op):
        version[state] = define(op)

    factor, log = " {qdelta.range = [-0.3, 0.3]}", " {qdelta.log_decay}"
    kinds = rng.choices(["decay", "read", "write", "mix"], weights=[2, 4, 3, 3], k=rng.randint(4, 10))
    for kind in kinds:
        state, other = rng.sample(states, 2)
        if kind == "decay":
            change(state, f"qdelta.decay {version[state]} by {scalar('g', log)} : !mat, f32")
        elif kind == "mix":
            change(state, f"qdelta.mix {version[state]} with {version[other]} by {scalar('c', factor)} : !mat, f32")
        elif kind == "read":
            reads.append(define(f"qdelta.read {version[state]} at {rng.choice(['%k', '%q'])} : !mat, !vec"))
        else:
            value = "%v" if rng.random() < 0.8 else define("arith.negf %v : !vec")
            for read in rng.sample(reads, min(len(reads), rng.randint(0, 2))):
                part = define(f"qdelta.scale {read} by {scalar('c', factor)} : !vec, f32")
                value = define(f"arith.subf {value}, {part} : !vec")
            key = rng.choice(["%k", "%q"])
            change(state, f"qdelta.write {version[state]} key {key} value {value} : !mat, !vec, !vec")
    for key in "kq":
        reads.append(define(f"qdelta.read {version[rng.choice(states)]} at %{key} : !mat, !vec"))
    output = reads[0]
    for read in reads[1:]:
        output = define(f"arith.addf {output}, {read} : !vec")
    output = define(f"arith.addf {output}, %v : !vec")
    inits = ", ".join(f"state %{s}: !mat" if s == "A" else f"%{s}: !mat" for s in states)
    inputs = "".join(f", {s}: f32{domain}" for s, domain in scalars)
    unit = "!vec {qdelta.unit}"
    print(f"qdelta.recurrence @{name}({inits})\n    token(%k: {unit}, %q: {unit}, %v: !vec{inputs}) {{")
    print("\n".join(lines))
    print(f"  qdelta.yield state {', '.join(version.values())} : {', '.join(['!mat'] * len(states))} out {output} : !vec\n}}\n")


def main(seed, count):
    print("!mat = tensor<?x?xf32>\n!vec = tensor<?xf32>\n")
    for number in range(count):
        recurrence(random.Random(seed * 1000003 + number), f"random_{number}")


main(*map(int, sys.argv[1:]))
