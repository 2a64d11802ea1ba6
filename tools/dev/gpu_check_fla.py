"""Times a function of fla on a GPU.

Usage: gpu_check_fla.py MODULE.FUNCTION FOLDER B T H HV K V

FOLDER holds fla's unpacked wheels. Prints the median and the least of 50 runs in
milliseconds, by events, each with nothing in the cache, and the versions, as JSON.
The arguments are those of fla-core 0.6.0: sequences [B, T, heads, size] in bf16,
log decays and states in f32; only chunk_gated_delta_rule takes more value heads
than key heads. chunk_retention has its decays in it.

Part of qdelta, under the Apache License 2.0 (see LICENSE).
"""
import importlib
import json
import sys

WARM_UP, REPEATS = 10, 50  # the first runs compile and tune


def make_arguments(torch, function, batch, tokens, heads, value_heads, keys, values):
    """Tensors for fla's function, [B, T, heads, size], and what else it takes."""

    def random(heads, *size, dtype=torch.bfloat16):
        return torch.randn(batch, tokens, heads, *size, device="cuda", dtype=dtype)

    normalize = torch.nn.functional.normalize
    words = {"q": normalize(random(heads, keys), dim=-1), "k": normalize(random(heads, keys), dim=-1),
             "v": random(value_heads, values), "scale": keys**-0.5, "output_final_state": True,
             "initial_state": 0.1 * torch.randn(batch, value_heads, keys, values, device="cuda")}
    if function == "chunk_gated_delta_rule":
        words["g"] = -0.1 * random(value_heads, dtype=torch.float32).abs()
    if function in ("chunk_gated_delta_rule", "chunk_delta_rule"):
        words["beta"] = torch.rand(batch, tokens, value_heads, device="cuda", dtype=torch.bfloat16)
    if function == "chunk_linear_attn":
        words["normalize"] = False
    return words


def main(path, wheels, *sizes):
    sys.path.insert(0, wheels)
    import torch
    module, name = path.split(".")
    function = getattr(importlib.import_module("fla.ops." + module), name)
    words = make_arguments(torch, name, *map(int, sizes))
    cache = torch.empty(256 << 20, dtype=torch.int8, device="cuda")
    times = []
    for repeat in range(WARM_UP + REPEATS):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        cache.zero_()
        start.record()
        with torch.no_grad():
            function(**words)
        end.record()
        torch.cuda.synchronize()
        if repeat >= WARM_UP:
            times.append(start.elapsed_time(end))
    import fla
    import triton
    print(json.dumps({"ms": sorted(times)[len(times) // 2], "ms_best": min(times), "fla": fla.__version__,
                      "torch": torch.__version__, "triton": triton.__version__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
