#!/usr/bin/env python3
"""RoPE and RoPE++ attention as a Triton kernel: rotation by PyTorch, then an online softmax over tiles of keys. On a GPU, or without one
in Triton's interpreter:

    TRITON_INTERPRET=1 ropepp-verify exec --serve --only dtype=f32 -- python3 attention_triton.py

--fault=tail forgets to hide the keys behind the last one of the last tile: they score 0, and take weight."""
import sys

import torch
import triton
import triton.language as tl

import attention_torch
import ropepp_case

TILE = 16
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@triton.jit
def attend(q, k, v, sees, out, lse, queries, keys, d, dv, group, scale, D: tl.constexpr, DV: tl.constexpr, TILE: tl.constexpr,
           TAIL: tl.constexpr):
    """One tile of queries of one head of one sequence. q: (B O, Lq, D), k: (B K, Lk, D), v: (B K, Lk, Dv), sees: (Lq, Lk)."""
    head, rows = tl.program_id(0), tl.program_id(1) * TILE + tl.arange(0, TILE)
    kv, c, cv = head // group, tl.arange(0, D), tl.arange(0, DV)
    inside = rows[:, None] < queries
    query = tl.load(q + (head * queries + rows[:, None]) * d + c, inside & (c < d), 0)
    top, total = tl.full([TILE], float("-inf"), tl.float32), tl.zeros([TILE], tl.float32)
    sums = tl.zeros([TILE, DV], tl.float32)
    for first in range(0, keys, TILE):
        j = first + tl.arange(0, TILE)
        key = tl.load(k + (kv * keys + j) * d + c[:, None], (j < keys) & (c[:, None] < d), 0)
        value = tl.load(v + (kv * keys + j[:, None]) * dv + cv, (j[:, None] < keys) & (cv < dv), 0)
        seen = tl.load(sees + rows[:, None] * keys + j, inside & (j < keys), TAIL)
        scores = tl.where(seen != 0, tl.dot(query, key, input_precision="ieee") * scale, float("-inf"))
        peak = tl.maximum(top, tl.max(scores, 1))
        safe = tl.where(peak == float("-inf"), 0, peak)
        p, fade = tl.exp(scores - safe[:, None]), tl.exp(top - safe)
        total = total * fade + tl.sum(p, 1)
        sums = sums * fade[:, None] + tl.dot(p.to(value.dtype), value, input_precision="ieee")
        top = peak
    sums = sums / tl.where(total > 0, total, 1)[:, None]
    tl.store(out + (head * queries + rows[:, None]) * dv + cv, sums, inside & (cv < dv))
    tl.store(lse + head * queries + rows, tl.where(total > 0, top + tl.log(tl.where(total > 0, total, 1)), float("-inf")), rows < queries)


def attention(case, q, k, v, mask):
    """q, k, v: (B, heads, length, width), rotated and doubled; one KV head serves a group of query heads."""
    (batch, heads, queries, d), keys, dv = q.shape, k.shape[2], v.shape[3]
    out, lse = q.new_zeros(batch, heads, queries, dv), torch.zeros(batch, heads, queries, device=q.device)
    q, k, v = (x.contiguous() for x in (q, k, v))
    widths = [max(16, triton.next_power_of_2(n)) for n in (d, dv)]
    if batch * heads * queries > 0:
        attend[(batch * heads, triton.cdiv(queries, TILE))](
            q, k, v, mask.to(torch.int8).contiguous(), out, lse, queries, keys, d, dv, heads // k.shape[1], float(case["scale"]),
            *widths, TILE, 1 if "--fault=tail" in sys.argv else 0)
    return out, lse


def from_numpy(case, **tensors):
    q, k, v, mask = attention_torch.prepare(case, **attention_torch.to_torch(case, tensors, DEVICE))
    out, lse = attention(case, q, k, v, mask)
    return out.transpose(1, 2).float().cpu().numpy(), lse.cpu().numpy()


if __name__ == "__main__":
    ropepp_case.main(from_numpy)
