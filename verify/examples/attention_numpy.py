#!/usr/bin/env python3
"""RoPE and RoPE++ attention in plain numpy, for `ropepp-verify exec`. Shapes are (batch, length, heads, width).

    ropepp-verify exec --serve -- python3 attention_numpy.py
    ropepp-verify exec -- python3 attention_numpy.py {in} {out}

Its contract is f32; for 16-bit cases it is bf16,rotated=f32,p=f32,acc=f32. --fault=sign turns the imaginary queries the wrong way."""
import sys

import numpy as np

import ropepp_case

TURN = np.pi / 2 if "--fault=sign" in sys.argv else -np.pi / 2


def frequencies(case, width):
    kind, _, factor = case["scaling"].partition(":factor=")
    if kind not in ("none", "linear", "ntk", "ntk-aware"):
        raise ropepp_case.Unsupported(f"scaling={kind}")
    base, factor = np.longdouble(case["base"]), np.longdouble(factor or 1)  # so that theta is rounded once, as the contract has it
    if kind.startswith("ntk"):
        base, factor = base * (factor if kind == "ntk" else factor ** (width / (width - 2))), 1
    return (base ** (-np.arange(0, width, 2, dtype=np.longdouble) / width) / factor).astype(float)


def rotate(case, x, pos, turn=0.0):
    """Each pair of x turned by its token's position times its frequency, and before that by turn: a quarter either way, or 0."""
    w, y = int(case["rotary"]), x.copy()
    first = np.s_[..., 0 : w // 2] if case["pairing"] == "half" else np.s_[..., 0:w:2]
    second = np.s_[..., w // 2 : w] if case["pairing"] == "half" else np.s_[..., 1:w:2]
    a, b = (x[first], x[second]) if turn == 0 else (-np.sign(turn) * x[second], np.sign(turn) * x[first])
    angle = pos[..., None, None] * frequencies(case, w)
    y[first], y[second] = a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)
    return y


def visible(case, queries, keys, cu_q, cu_k):
    """(queries, keys): which key each query sees."""
    i, j, same = np.arange(queries)[:, None], np.arange(keys), True
    if cu_q is not None:
        of_i, of_j = np.searchsorted(cu_q, i, "right") - 1, np.searchsorted(cu_k, j, "right") - 1
        i, j, same = i - cu_q[of_i], j - cu_k[of_j], of_i == of_j
    kind, _, window = case["mask"].partition(":")
    back = i + int(case["causal_offset"]) - j
    return same & ((back >= 0) | (kind == "full")) & ((back < int(window or 1)) | (kind != "window"))


def attention(case, q, k, v, pos_q=None, pos_k=None, cu_q=None, cu_k=None):
    if case["inputs"] == "raw":
        k = rotate(case, k, pos_k)
    if case["inputs"] != "rotated":  # raw, or raw queries over a cache's rotated keys
        real, imaginary = rotate(case, q, pos_q), rotate(case, q, pos_q, TURN)
        q = real if case["mode"] == "rope" else np.repeat(real, 2, axis=2)
        if case["mode"] != "rope":
            q[:, :, 1::2] = imaginary  # heads 2j are real, 2j + 1 imaginary
    of = np.arange(q.shape[2]) // (q.shape[2] // k.shape[2])  # the KV head of each
    q, k, v = q.swapaxes(1, 2), k[:, :, of].swapaxes(1, 2), v[:, :, of].swapaxes(1, 2)
    scores = q @ k.swapaxes(2, 3) * q.dtype.type(case["scale"])
    scores = np.where(visible(case, q.shape[2], k.shape[2], cu_q, cu_k), scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    p = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = p.sum(axis=-1, keepdims=True)
    out = p @ v / np.where(total > 0, total, 1)  # a query that sees no key: 0
    with np.errstate(divide="ignore"):
        return out.swapaxes(1, 2), (top + np.log(total))[..., 0]


ropepp_case.main(attention)
