"""peers.py FOLDER: times torch's products (cuBLASLt FP8), grouped products and attention at Mixtral's shapes, into FOLDER/peers.jsonl.

Every figure is the median of replays of a recorded graph that goes over copies of the weights larger than the L2 together, as in the
bench of Moebius' own kernels. Without torch, or on a torch without one of the functions, it says so and goes on.
"""
import json
import pathlib
import statistics
import sys

try:
    import torch
    import torch.nn.functional as functional
except ImportError:
    sys.exit("peers: no torch here, nothing to compare with")

HIDDEN, FFN, EXPERTS, TOP_K, HEADS, KV_HEADS, HEAD_DIM = 4096, 14336, 8, 2, 32, 8, 128
ROWS = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
OUT = pathlib.Path(sys.argv[1]) / "peers.jsonl"
ONE = torch.ones((), device="cuda")


def seconds(calls):
    """Of one call: the median over replays of a graph of all."""
    for call in calls[:2]:
        call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for call in calls:
            call()
    times = []
    for _ in range(6):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1e-3)
    return statistics.median(times[1:]) / len(calls)


def add(site, kernel, tokens, flops, bytes_read, calls):
    try:
        time = seconds(calls)
    except (RuntimeError, AttributeError, TypeError, ValueError) as error:
        print(f"{site} {kernel} {tokens}: not possible here: {str(error).splitlines()[0][:120]}")
        return
    row = {"site": site, "kernel": kernel, "tokens": tokens, "microseconds": round(time * 1e6, 3),
           "gigabytes_per_second": round(bytes_read / time / 1e9, 1), "gigaflops": round(flops / time / 1e9, 1)}
    print(f"{site:16} {kernel:32} {tokens:6} {time * 1e6:10.1f} us {bytes_read / time / 1e9:8.0f} GB/s {flops / time / 1e12:8.1f} TFLOP/s", flush=True)
    with OUT.open("a") as file:
        file.write(json.dumps(row) + "\n")


def codes(*shape):
    return torch.randn(*shape, device="cuda").clamp(-4, 4).to(torch.float8_e4m3fn)


def dense(site, n, k):
    weights = [codes(n, k) for _ in range(max(2, int(2e8 // (n * k)) + 1))]
    for rows in ROWS:
        x = codes(max(16, rows), k)
        calls = [lambda w=w: torch._scaled_mm(x, w.t(), scale_a=ONE, scale_b=ONE, out_dtype=torch.bfloat16) for w in weights]
        add(site, "torch._scaled_mm", rows, 2 * rows * n * k, n * k + rows * (k + 2 * n), calls)


def grouped(site, n, k):
    weights = codes(EXPERTS * n, k).view(EXPERTS, n, k)
    scale_w = torch.ones(EXPERTS, n, device="cuda")
    for tokens in ROWS:
        rows = tokens * TOP_K
        counts = [rows // EXPERTS + (1 if e < rows % EXPERTS else 0) for e in range(EXPERTS)]
        ends = torch.tensor(counts, device="cuda").cumsum(0).to(torch.int32)
        x, scale_x = codes(rows, k), torch.ones(rows, device="cuda")
        used = sum(1 for c in counts if c)
        call = lambda: torch._scaled_grouped_mm(x, weights.transpose(-2, -1), scale_x, scale_w, offs=ends, out_dtype=torch.bfloat16)
        add(site, "torch._scaled_grouped_mm", tokens, 2 * rows * n * k, used * n * k + rows * (k + 2 * n), [call] * 4)


def attention():
    for batch, context in [(1, 1024), (1, 8192), (1, 32768), (8, 8192), (64, 1024), (64, 8192)]:
        layers = max(1, min(32, int(8e9 // (batch * context * KV_HEADS * HEAD_DIM * 4))))
        pairs = [torch.randn(2, batch, KV_HEADS, context, HEAD_DIM, device="cuda", dtype=torch.bfloat16) for _ in range(layers)]
        query = torch.randn(batch, HEADS, 1, HEAD_DIM, device="cuda", dtype=torch.bfloat16)
        calls = [lambda p=p: functional.scaled_dot_product_attention(query, p[0], p[1], enable_gqa=True) for p in pairs]
        add(f"decode of {context}", "torch sdpa bf16", batch, 4 * batch * context * HEADS * HEAD_DIM, 4 * batch * context * KV_HEADS * HEAD_DIM, calls)
    q = torch.randn(1, HEADS, 2048, HEAD_DIM, device="cuda", dtype=torch.bfloat16)
    k, v = torch.randn(2, 1, HEADS, 2048, HEAD_DIM, device="cuda", dtype=torch.bfloat16)
    call = lambda: functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    add("prefill over 0", "torch sdpa bf16", 2048, 4 * HEADS * HEAD_DIM * 2048 * 2049 / 2, 0, [call] * 8)


OUT.write_text("")
print(f"torch {torch.__version__}, {torch.cuda.get_device_name(0)}")
dense("qkv", (HEADS + 2 * KV_HEADS) * HEAD_DIM, HIDDEN)
dense("output", HIDDEN, HIDDEN)
grouped("down", HIDDEN, FFN)
grouped("gate", FFN, HIDDEN)
attention()
