#!/usr/bin/env python3
"""RoPE and RoPE++ attention in fifteen lines of numpy: what a new user may hold against the truth first. It declines what it does not know:

    ropepp-verify exec --serve --only mask=causal,inputs=raw,scaling=none,packed=0 -- python3 attention_fifteen.py

attention_numpy.py declines less. --fault=sign turns the imaginary queries the wrong way."""
import sys

import numpy as np

import ropepp_case

TURN = np.pi / 2 if "--fault=sign" in sys.argv else -np.pi / 2


def attention(case, q, k, v, pos_q=None, pos_k=None, **packed):
    if packed or case["mask"] != "causal" or case["inputs"] != "raw" or case["scaling"] != "none":
        raise ropepp_case.Unsupported("all but causal masks, raw inputs, no scaling, no packed sequences")
    w, turns = int(case["rotary"]), [0] if case["mode"] == "rope" else [0, TURN]
    a, b = np.arange(w).reshape(2, -1) if case["pairing"] == "half" else np.arange(w).reshape(-1, 2).T
    angle = lambda pos: pos[..., None, None] * float(case["base"]) ** (-np.arange(0, w, 2) / w)
    turned = lambda x, angle: (x[..., a] + 1j * x[..., b]) * np.exp(1j * angle)
    columns = lambda z, x: np.concatenate([z.real, z.imag, x[..., w:]], -1)
    k, q = columns(turned(k, angle(pos_k)), k), np.stack([columns(turned(q, angle(pos_q) + t), q) for t in turns], 3)
    q = q.reshape(*q.shape[:2], q.shape[2] * q.shape[3], q.shape[4])  # heads 2j are real, 2j + 1 imaginary
    k, v = (x.repeat(q.shape[2] // x.shape[2], axis=2) for x in (k, v))
    seen = np.arange(k.shape[1]) <= np.arange(q.shape[1])[:, None] + int(case["causal_offset"])
    s = np.where(seen, np.einsum("bihd,bjhd->bhij", q, k) * float(case["scale"]), -np.inf)
    top = s.max(-1, keepdims=True, initial=np.finfo(s.dtype).min)
    p, total = np.exp(s - top), np.exp(s - top).sum(-1, keepdims=True)
    return np.einsum("bhij,bjhd->bihd", p / np.where(total > 0, total, 1), v), (top + np.log(total))[..., 0]


ropepp_case.main(attention)
