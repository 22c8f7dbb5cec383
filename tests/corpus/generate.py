#!/usr/bin/env python3
"""Writes the seeds of the fuzz target: small cases of every kind, and one file for each way to be refused.

Their expected values are arbitrary: a seed is there to reach code, not to pass. Usage: generate.py FOLDER
"""
import json
import os
import struct
import sys

SIZE = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8}


def values(dtype, count, first=0):
    if dtype == "I64":
        return b"".join(struct.pack("<q", first + i) for i in range(count))
    xs = [((i * 7 + 3) % 11 - 5) / 8 for i in range(count)]
    if dtype == "BF16":
        return b"".join(struct.pack("<f", x)[2:] for x in xs)
    return b"".join(struct.pack({"F64": "<d", "F32": "<f", "F16": "<e"}[dtype], x) for x in xs)


def pack(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def npy(descr, shape, data, fortran=False, version=1, header=None):
    text = header or ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n" % (descr, fortran, shape)).encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def product(shape):
    n = 1
    for s in shape:
        n *= s
    return n


def build(metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, dtype, shape, *content in tensors:
        bytes_ = content[0] if content else values(dtype, product(shape))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(bytes_)]}
        data += bytes_
    return pack(header, data)


BASE = {"format": "ropepp-case/1", "op": "attention", "mode": "ec", "heads": "1", "kv_heads": "1", "head_dim": "2",
        "pairing": "half", "base": "10000", "mask": "causal"}


def attention(change={}, drop=(), add=(), replace={}, dtype="F64"):
    m = {k: v for k, v in {**BASE, **change}.items() if k not in drop}
    p = int(m["heads"]) // (2 if m["mode"] == "eh" else 1)
    g = int(m["kv_heads"]) // (2 if m["mode"] == "eh" else 1)
    o = p if m["mode"] == "rope" else 2 * p
    d = int(m["head_dim"])
    q = o if m.get("inputs") == "rotated" else p
    t = [("q", dtype, [1, 2, q, d]), ("k", dtype, [1, 2, g, d]), ("v", dtype, [1, 2, g, 1]), ("pos_q", "I64", [2]), ("pos_k", "I64", [2]),
         *add, ("out", dtype, [1, 2, o, 1]), ("lse", dtype, [1, o, 2])]
    return build(m, [replace.get(x[0], x) for x in t if x[0] not in drop])


def layer(change={}, drop=()):
    m = {**BASE, "op": "layer", "hidden": "2", **change}
    return build(m, [x for x in [("x", "F64", [1, 2, 2]), ("wq", "F64", [2, 2]), ("wk", "F64", [2, 2]), ("wv", "F64", [2, 2]),
                                 ("wo", "F64", [2, 4]), ("pos_q", "I64", [2]), ("k_cache", "F64", [1, 2, 1, 2]), ("v_cache", "F64", [1, 2, 1, 2]),
                                 ("out", "F64", [1, 2, 2, 2]), ("y", "F64", [1, 2, 2])] if x[0] not in drop])


def one(dtype, shape, offsets, size=16):
    return pack({"q": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}, bytes(size))


whole = attention()
seeds = {
    "attention": whole,
    "attention_rope_interleaved": attention({"mode": "rope", "pairing": "interleaved"}),
    "attention_eh_gqa": attention({"mode": "eh", "heads": "4", "kv_heads": "2"}, dtype="F16"),
    "attention_all_expected": attention(add=[("q_real", "F32", [1, 2, 1, 2]), ("q_imag", "F16", [1, 2, 1, 2]), ("k_rot", "BF16", [1, 2, 1, 2]),
                                             ("scores_real", "F64", [1, 1, 2, 2]), ("scores_imag", "F32", [1, 1, 2, 2])]),
    "attention_packed_window": attention({"mask": "window:2", "causal_offset": "1"},
                                         add=[("cu_q", "I64", [3]), ("cu_k", "I64", [3])]),
    "attention_full_scale": attention({"mask": "full", "scale": "0.25", "name": "label"}),
    "attention_rotated": attention({"inputs": "rotated"}, drop=("pos_q", "pos_k", "base")),
    "attention_inv_freq": attention(drop=("base",), add=[("inv_freq", "F32", [1])]),
    "attention_cos_sin": attention(drop=("base",), add=[("cos", "F16", [2, 1]), ("sin", "BF16", [2, 1])]),
    "attention_partial": attention({"head_dim": "4", "rotary": "2", "angles": "hf-f32"}),
    "attention_yarn": attention({"scaling": "yarn:factor=32,orig=4096"}),
    "attention_yarn_hf": attention({"scaling": "yarn-hf:factor=32,orig=4096", "head_dim": "4"}),
    "attention_llama3": attention({"scaling": "llama3:factor=8,low=1,high=4,orig=8192"}),
    "attention_linear": attention({"scaling": "linear:factor=8"}),
    "attention_ntk": attention({"scaling": "ntk:factor=4", "angles": "hf-f32"}),
    "attention_ntk_aware": attention({"scaling": "ntk-aware:factor=4", "head_dim": "4"}),
    "attention_batch_positions": attention(replace={"pos_q": ("pos_q", "I64", [1, 2], values("I64", 2, 10**6)),
                                                    "pos_k": ("pos_k", "I64", [1, 2], values("I64", 2, -5))}),
    "attention_no_keys": attention(replace={"k": ("k", "F64", [1, 0, 1, 2]), "v": ("v", "F64", [1, 0, 1, 1]), "pos_k": ("pos_k", "I64", [0])}),
    "attention_offset_largest": attention({"causal_offset": str(2**63 - 1), "mask": "window:" + str(2**63 - 1)}),
    "attention_offset_smallest": attention({"causal_offset": str(-2**63)}),
    "attention_position_largest": attention(replace={"pos_q": ("pos_q", "I64", [2], struct.pack("<2q", 2**63 - 1, -2**63))}),
    "layer": layer(),
    "layer_interleaved_window": layer({"pairing": "interleaved", "mask": "window:1"}),
    "layer_y_only": layer(drop=("k_cache", "v_cache", "out")),
    "bad_heads": attention({"mode": "rope", "heads": "3", "kv_heads": "2"}),
    "bad_scaling": attention({"scaling": "yarn:factor=32,factor=32"}),
    "bad_number": attention({"scale": "nan"}),
    "bad_key": attention({"Mask": "full"}),
    "bad_tensor": attention(add=[("Out", "F64", [1])]),
    "bad_missing": attention(drop=("v",)),
    "bad_shape": attention({"head_dim": "4"}, replace={"k": ("k", "F64", [1, 2, 1, 2])}),
    "hostile_length": struct.pack("<Q", 2**60) + whole[8:],
    "hostile_overflow": one("F64", [2**62, 4], [0, 16]),
    "hostile_hidden_overflow": one("F64", [0, 2**62, 4], [0, 0], 0),
    "hostile_offsets": one("F64", [2], [8, 24]),
    "hostile_offsets_reversed": one("F64", [2], [16, 0]),
    "hostile_overlap": pack({n: {"dtype": "F32", "shape": [2], "data_offsets": [b, b + 8]} for n, b in (("a", 0), ("b", 4))}, bytes(12)),
    "hostile_hole": pack({n: {"dtype": "F32", "shape": [2], "data_offsets": [b, b + 8]} for n, b in (("a", 0), ("b", 12))}, bytes(20)),
    "hostile_trailing": one("F64", [1], [0, 8]),
    "hostile_truncated": whole[:-3],
    "hostile_duplicate": pack(b'{"__metadata__":{"a":"1","\\u0061":"2"}}'),
    "hostile_nesting": pack(b'{"a":' + b"[" * 1500 + b"]" * 400 + b"}"),
    "hostile_name": pack({"a\n\x1b[2J": {"dtype": "F8", "shape": [], "data_offsets": []}}),
    "hostile_empty": b"",
    "npy_f8": npy("<f8", (2, 3), bytes(48)),
    "npy_f4_fortran": npy("<f4", (2, 3, 2, 1), bytes(48), True),
    "npy_f2_version_2": npy("<f2", (3,), bytes(6), version=2),
    "npy_i4_version_3": npy("<i4", (2,), b"\1\0\0\0\xff\xff\xff\xff", version=3),
    "npy_i8_none": npy("<i8", (0, 4), b""),
    "npy_other_order": npy("", (), bytes(8), header=b'{"shape":(1,),"fortran_order":False,"descr":"<f8"}'),
    "npy_big_endian": npy(">f4", (1,), bytes(4)),
    "npy_bfloat16": npy("<V2", (1,), bytes(2)),
    "npy_structured": npy("", (), b"", header=b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
    "npy_scalar": npy("<f8", (), bytes(8)),
    "npy_rank": npy("<f8", (1, 1, 1, 1, 1), bytes(8)),
    "npy_overflow": npy("<f8", (2**62, 4), b""),
    "npy_hidden_overflow": npy("<i4", (0, 2**62, 4), b""),
    "npy_size_overflow": npy("<f8", (2**64,), b""),
    "npy_truncated": npy("<f8", (2, 3), bytes(47)),
    "npy_trailing": npy("<f8", (2, 3), bytes(49)),
    "npy_length": b"\x93NUMPY\1\0\xff\xff{}",
    "npy_magic": b"\x93NUMPY",
}

for name, content in seeds.items():
    assert len(content) < 2048, (name, len(content))
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        f.write(content)
