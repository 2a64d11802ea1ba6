"""Prints a module of random recurrences over a matrix state that is read on both
sides: decays of one number, per key and per value channel, reads on either side and
writes, in any order. What a write writes uses reads of one side, its values or its
keys; what the other side reads is for the output.

    value_side_lists.py SEED COUNT [single]

With `single` the channels decay that the writes' system would have one more
dimension for: such lists run token by token.
"""
import random
import sys


def recurrence(rng, name, single):
    lines, inputs, version, count = [], {}, "%S", 0
    reads = {"key": [], "value": []}
    solved = rng.choice(["key", "value"])
    # What reads, at what, and what is written beside it.
    read_op = {"key": "qdelta.read", "value": "qdelta.read_values"}
    at = {"key": ["%k", "%q"], "value": ["%v", "%w"]}
    other = {"key": "value", "value": "key"}

    def define(op):
        nonlocal count
        count += 1
        lines.append(f"  %t{count} = {op}")
        return f"%t{count}"

    def factor():
        name = f"%c{rng.randint(0, 2)}"
        inputs[name] = "f32 {qdelta.range = [-0.4, 0.4]}"
        return name

    def log(kind):
        name = f"%{kind}{rng.randint(0, 1)}"
        inputs[name] = ("f32" if kind == "g" else "!vec") + " {qdelta.log_decay}"
        return name

    kinds = rng.choices(["decay", "read", "write"], weights=[3, 5, 3], k=rng.randint(4, 10))
    for kind in kinds:
        if kind == "decay":
            # Decays of the channels that writes are written along are one factor
            # for each column of their system.
            sides = ["g", {"key": "h", "value": "u"}[solved]]
            if single:
                sides.append({"key": "u", "value": "h"}[solved])
            side = rng.choice(sides)
            op = "qdelta.decay_values" if side == "u" else "qdelta.decay"
            by = log(side)
            version = define(f"{op} {version} by {by} : !mat, {inputs[by].split()[0]}")
        elif kind == "read":
            side = rng.choice(["key", "value"])
            reads[side].append(define(f"{read_op[side]} {version} at {rng.choice(at[side])} : !mat, !vec"))
        else:
            written = rng.choice(at[other[solved]])
            for read in rng.sample(reads[solved], min(len(reads[solved]), rng.randint(0, 2))):
                part = define(f"qdelta.scale {read} by {factor()} : !vec, f32")
                written = define(f"arith.subf {written}, {part} : !vec")
            along = rng.choice(at[solved])
            key, value = (along, written) if solved == "key" else (written, along)
            version = define(f"qdelta.write {version} key {key} value {value} : !mat, !vec, !vec")
    output = define(f"qdelta.read {version} at %q : !mat, !vec")
    for read in reads["key"]:
        output = define(f"arith.addf {output}, {read} : !vec")
    # Scalars of what the value side read.
    for read in reads["value"]:
        product = define(f"qdelta.dot %q, {read} : !vec -> f32")
        part = define(f"qdelta.scale %v by {product} : !vec, f32")
        output = define(f"arith.addf {output}, {part} : !vec")
    unit = "!vec {qdelta.unit}"
    tokens = "".join(f", {n}: {kind}" for n, kind in inputs.items())
    print(f"qdelta.recurrence @{name}(state %S: !mat)\n    token(%k: {unit}, %q: {unit}, %v: {unit}, %w: {unit}{tokens}) {{")
    # Tells what %w, %v and %k are, if nothing else does.
    output = define(f"arith.addf {output}, %w : !vec")
    output = define(f"arith.addf {output}, %v : !vec")
    scalar = define("qdelta.dot %k, %q : !vec -> f32")
    output = define(f"qdelta.scale {output} by {scalar} : !vec, f32")
    print("\n".join(lines))
    print(f"  qdelta.yield state {version} : !mat out {output} : !vec\n}}\n")


def main(seed, count, *options):
    print("!mat = tensor<?x?xf32>\n!vec = tensor<?xf32>\n")
    for number in range(int(count)):
        recurrence(random.Random(int(seed) * 1000003 + number), f"random_{number}", "single" in options)


main(*sys.argv[1:])
