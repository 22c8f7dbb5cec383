#!/usr/bin/env python3
"""dump_numpy.py FOLDER: RoPE++ attention (ec) in plain numpy, on values of its own. Saves q, k, v and what it made of them as .npy files,
for `ropepp-verify check FOLDER --case ec:pairing=half,family=normal` to judge."""
import os, sys
import numpy as np

def attention(q, k, v, base=10000.0):  # (batch, length, heads, width), pairing=half
    width, length, repeat = q.shape[-1], q.shape[1], 2 * q.shape[2] // k.shape[2]
    angle = np.arange(length)[:, None] * base ** (-np.arange(0, width, 2) / width)
    cos, sin = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    def rotate(x):
        a, b = np.split(x.astype(np.float64), 2, axis=-1)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)
    a, b = np.split(q, 2, axis=-1)
    q = np.stack([q, np.concatenate([b, -a], axis=-1)], axis=3).reshape(*q.shape[:2], -1, width)  # turned by -pi/2: (b, -a)
    scores = np.einsum("bihd,bjhd->bhij", rotate(q), np.repeat(rotate(k), repeat, axis=2)) / np.sqrt(width)
    scores[..., np.triu(np.ones((length, length), bool), 1)] = -np.inf
    top = scores.max(-1, keepdims=True)
    weights = np.exp(scores - top)
    out = np.einsum("bhij,bjhd->bihd", weights / weights.sum(-1, keepdims=True), np.repeat(v, repeat, axis=2))
    return out.astype(np.float32), (top + np.log(weights.sum(-1, keepdims=True)))[..., 0].astype(np.float32)

rng = np.random.default_rng(1)
q, k, v = (rng.standard_normal((1, 48, heads, 64), dtype=np.float32) for heads in (4, 2, 2))
out, lse = attention(q, k, v)
os.makedirs(sys.argv[1], exist_ok=True)
for name, array in dict(q=q, k=k, v=v, out=out, lse=lse).items():
    np.save(os.path.join(sys.argv[1], name + ".npy"), array)
