#!/usr/bin/env python3
"""RoPE and RoPE++ attention in PyTorch, as most people will write it first: F.scaled_dot_product_attention over doubled heads. Inside,
shapes are (batch, heads, length, width). SDPA gives no LSE, so none is answered.

    ropepp-verify exec --serve -- python3 attention_torch.py
    ropepp-verify exec --serve --contract f32,angles=hf-f32 -- python3 attention_torch.py --angles=hf-f32

    --angles=MODEL   exact (default): angles in float64; hf-f32: in float32, as Hugging Face's models have them
    --fault=NAME     what goes wrong easily: stacked (imaginary heads behind all real ones), repeat (KV heads tiled, not repeated)"""
import sys

import torch
import torch.nn.functional as F

import ropepp_case

ANGLES = torch.float32 if "--angles=hf-f32" in sys.argv else torch.float64


def frequencies(case, width):
    """theta_n. pow is taken in float64 either way: float32's differs in its last bit from machine to machine,
    and at position 10^6 that is a visible angle."""
    kind, _, factor = case["scaling"].partition(":factor=")
    if kind not in ("none", "linear", "ntk", "ntk-aware"):
        raise ropepp_case.Unsupported(f"scaling={kind}")
    base, factor = float(case["base"]), float(factor or 1)
    if kind.startswith("ntk"):
        base, factor = base * (factor if kind == "ntk" else factor ** (width / (width - 2))), 1
    exponent = torch.arange(0, width, 2).to(ANGLES) / width
    return 1 / (torch.tensor(base, dtype=ANGLES).double() ** exponent.double()).to(ANGLES) / factor


def rotate(case, x, pos):
    """x: (B, heads, L, D), pos: (L) or (B, L). Columns past the rotary width pass unchanged."""
    width = int(case["rotary"])
    angle = pos[..., None].to(ANGLES) * frequencies(case, width).to(pos.device)  # (L, W / 2), or (B, L, W / 2)
    angle = angle[:, None] if pos.ndim == 2 else angle
    cos, sin = angle.cos().float(), angle.sin().float()
    a, b = pairs(case, x[..., :width].float())
    return torch.cat([unpair(case, a * cos - b * sin, a * sin + b * cos).to(x.dtype), x[..., width:]], -1)


def pairs(case, x):
    return x.chunk(2, -1) if case["pairing"] == "half" else (x[..., 0::2], x[..., 1::2])


def unpair(case, a, b):
    return torch.cat([a, b], -1) if case["pairing"] == "half" else torch.stack([a, b], -1).flatten(-2)


def quarter_turn(case, x):
    """R(-pi/2): (a, b) becomes (b, -a)."""
    width = int(case["rotary"])
    a, b = pairs(case, x[..., :width])
    return torch.cat([unpair(case, b, -a), x[..., width:]], -1)


def visible(case, queries, keys, cu_q, cu_k, device):
    """(queries, keys): which key each query sees."""
    i, j = torch.arange(queries, device=device)[:, None], torch.arange(keys, device=device)[None]
    same = torch.ones(queries, keys, dtype=torch.bool, device=device)
    if cu_q is not None:
        of_i, of_j = torch.searchsorted(cu_q, i, right=True) - 1, torch.searchsorted(cu_k, j, right=True) - 1
        i, j, same = i - cu_q[of_i], j - cu_k[of_j], of_i == of_j
    kind, _, window = case["mask"].partition(":")
    back = i + int(case["causal_offset"]) - j
    return same & ((back >= 0) | (kind == "full")) & ((back < int(window or 1)) | (kind != "window"))


def prepare(case, q, k, v, pos_q=None, pos_k=None, cu_q=None, cu_k=None):
    """Rotated and doubled q, rotated k, and v, all (B, heads, L, width), and who sees whom."""
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    if case["inputs"] == "raw":
        k = rotate(case, k, pos_k)
    if case["inputs"] != "rotated":  # raw, or raw queries over a cache's rotated keys
        heads = [rotate(case, q, pos_q)]
        if case["mode"] != "rope":
            heads.append(rotate(case, quarter_turn(case, q), pos_q))
        q = torch.cat(heads, 1) if "--fault=stacked" in sys.argv else torch.stack(heads, 2).flatten(1, 2)
    return q, k, v, visible(case, q.shape[2], k.shape[2], cu_q, cu_k, q.device)


def softmax_attention(q, k, v, mask, scale):
    try:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
    except (AttributeError, TypeError):  # before 2.0 there is none, before 2.1 it takes no scale
        scores = (q.float() @ k.float().transpose(-1, -2) * scale).masked_fill(~mask, float("-inf"))
        return (scores.softmax(-1).to(v.dtype).float() @ v.float()).to(v.dtype)


def attention(case, **tensors):
    q, k, v, mask = prepare(case, **tensors)
    group = q.shape[1] // k.shape[1]  # doubled heads share the KV head of their query
    k, v = (x.repeat(1, group, 1, 1) if "--fault=repeat" in sys.argv else x.repeat_interleave(group, 1) for x in (k, v))
    out = softmax_attention(q, k, v, mask, float(case["scale"]))
    return out.masked_fill(~mask.any(-1)[:, None], 0).transpose(1, 2)  # a query that sees no key: 0


def to_torch(case, tensors, device="cpu"):
    tensors = {name: torch.from_numpy(x.copy()).to(device) for name, x in tensors.items()}
    return tensors | ({name: tensors[name].bfloat16() for name in "qkv"} if case["dtype"] == "BF16" else {})


def from_numpy(case, **tensors):
    return attention(case, **to_torch(case, tensors)).float().numpy(), None


if __name__ == "__main__":
    ropepp_case.main(from_numpy)
