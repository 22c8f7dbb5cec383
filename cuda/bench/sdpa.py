#!/usr/bin/env python3
"""sdpa.py: PyTorch's scaled_dot_product_attention at the shapes of ropepp-cuda-bench, as rows of the same table.

Flash and cuDNN backends, float16 and bfloat16. PyTorch has no RoPE++: an EC or EH problem is given to it as its output heads, q rotated
and k repeated (enable_gqa where PyTorch has it), and rotation is not in its time. Usage: sdpa.py [COPY GB/s]
"""
import statistics
import sys

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention as sdpa

BACKENDS = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}
DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16}
OTHER = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")  # more than the level 2 cache holds


def seconds(call):
    """The median of 21 calls, the level 2 cache overwritten before each, as bench.c has it."""
    times = []
    for i in range(24):
        OTHER.fill_(i)
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1e-3)
    return statistics.median(times[3:])


def attention(dtype, batch, heads, kv_heads, queries, keys, width, causal):
    """A call of the problem; k and v are repeated in memory where this PyTorch cannot share them."""
    q = torch.randn(batch, heads, queries, width, dtype=dtype, device="cuda")
    k, v = (torch.randn(batch, kv_heads, keys, width, dtype=dtype, device="cuda") for _ in range(2))
    if heads == kv_heads:
        return lambda: sdpa(q, k, v, is_causal=causal)
    return lambda: sdpa(q, k, v, is_causal=causal, enable_gqa=True)


def time_of(backend, call):
    """Seconds, or the reason why this backend does not do it."""
    try:
        with sdpa_kernel(backend):
            return seconds(call), ""
    except (RuntimeError, TypeError) as error:
        return None, (str(error).strip() or type(error).__name__).splitlines()[0][:60]


def report(name, shape, time, why, rate, share=""):
    if time is None:
        print(f"| {'sdpa ' + name:<18} | {shape:<58} | {'left out':>10} | {why} | |")
    else:
        print(f"| {'sdpa ' + name:<18} | {shape:<58} | {time * 1e3:10.4f} | {rate:>14} | {share:>7} |", flush=True)


def forward(name, backend):
    for dtype in DTYPES:
        for width in (64, 128):
            for causal in (True, False):
                for mode, factor in (("RoPE", 1), ("EC", 2)):
                    for length in (2048, 4096, 8192, 16384):
                        batch, kv_heads = 16384 // length, 2048 // width
                        heads = factor * kv_heads
                        call = attention(DTYPES[dtype], batch, heads, kv_heads, length, length, width, causal)
                        time, why = time_of(backend, call)
                        operations = 4 * width * batch * length * heads * length * (0.5 if causal else 1)
                        shape = f"{mode} {dtype} {'causal' if causal else 'full'} D={width} L={length} B={batch} K={kv_heads} O={heads}"
                        report(name, shape, time, why, f"{operations / time * 1e-12:.1f} TFLOP/s" if time else "")


def decode(name, backend, copy):
    for mode, kv_heads, heads in (("RoPE", 4, 32), ("EC", 4, 64), ("EH", 2, 32)):
        for keys in (2048, 8192, 32768, 131072):
            call = attention(torch.bfloat16, 8, heads, kv_heads, 1, keys, 128, False)
            time, why = time_of(backend, call)
            size = 2 * 8 * 128 * (2 * kv_heads * keys + 2 * heads)
            share = f"{100 * size / time * 1e-9 / copy:.0f} %" if time and copy else ""
            report(name, f"{mode} BF16 D=128 Lk={keys} B=8 K={kv_heads} O={heads}", time, why,
                   f"{size / time * 1e-9:.0f} GB/s" if time else "", share)


def main():
    copy = float(sys.argv[1]) if len(sys.argv) > 1 else 0
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}")
    for name, backend in BACKENDS.items():
        forward(name, backend)
        decode(name, backend, copy)


if __name__ == "__main__":
    main()
