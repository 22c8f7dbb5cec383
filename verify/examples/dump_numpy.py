#!/usr/bin/env python3
"""dump_numpy.py FOLDER: RoPE++ attention (ec) in plain numpy, on values of its own. Saves q, k, v and what it makes of them as .npy files:

    ropepp-verify check FOLDER --case ec:pairing=half,family=normal

Shapes are (batch, length, heads, width). --fault=sign turns the imaginary queries the wrong way; --fault=hf rotates by Hugging Face's
float32 angles, at positions from 150000 on; --fault=axes saves (batch, heads, length, width)."""
import os
import sys

import numpy as np

FAULT = sys.argv[2] if len(sys.argv) > 2 else ""


def rotate(x, angle):
    (a, b), c, s = np.split(x, 2, axis=-1), np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.concatenate([a * c - b * s, a * s + b * c], axis=-1).astype(x.dtype)


def attention(q, k, v, angle):
    a, b = np.split(q, 2, axis=-1)
    turned = np.concatenate([-b, a] if FAULT == "--fault=sign" else [b, -a], axis=-1)
    q = rotate(np.stack([q, turned], axis=3).reshape(*q.shape[:2], -1, q.shape[3]), angle)  # heads 2j real, 2j + 1 imaginary
    of = np.arange(q.shape[2]) // (q.shape[2] // k.shape[2])  # the KV head of each
    scores = np.einsum("bihd,bjhd->bhij", q, rotate(k, angle)[:, :, of]) / np.sqrt(q.shape[3], dtype=q.dtype)
    scores = np.where(np.tril(np.ones(scores.shape[2:], bool)), scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True)
    p = np.exp(scores - top)
    total = p.sum(axis=-1, keepdims=True)
    return np.einsum("bhij,bjhd->bihd", p / total, v[:, :, of]), (top + np.log(total))[..., 0]


rng = np.random.default_rng(1)
q, k, v = (rng.standard_normal((1, 48, heads, 64), dtype=np.float32) for heads in (4, 2, 2))
hf = FAULT == "--fault=hf"
pos = np.arange(48) + (150000 if hf else 0)
frequency = 10000.0 ** (-np.arange(0, 64, 2) / 64)
angle = pos.astype(np.float32)[:, None] * (1 / (1 / frequency).astype(np.float32)) if hf else pos[:, None] * frequency
out, lse = attention(q, k, v, angle)
os.makedirs(sys.argv[1], exist_ok=True)
for name, x in dict(q=q, k=k, v=v, pos_q=pos, pos_k=pos, out=out, lse=lse).items():
    np.save(os.path.join(sys.argv[1], name), x.swapaxes(1, 2) if FAULT == "--fault=axes" and x.ndim == 4 else x)
