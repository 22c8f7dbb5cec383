"""ropepp_case: ropepp-verify's case files and answers in plain numpy. Copy it beside your kernel."""
import json
import sys

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8"}


class Unsupported(Exception):
    """Raised by a kernel that declines a case; its text is the reason."""


def read(path):
    """Metadata (text to text), tensors by name, and q's dtype. BF16 comes as float32, which holds all its values."""
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header, tensors = json.loads(data[8:start]), {}
    metadata = header.pop("__metadata__", {})
    for name, t in header.items():
        begin, end = t["data_offsets"]
        x = np.frombuffer(data[start + begin : start + end], DTYPES[t["dtype"]]).reshape(t["shape"])
        tensors[name] = (x.astype("<u4") << 16).view("<f4") if t["dtype"] == "BF16" else x
    return metadata, tensors, header["q"]["dtype"]


def write(path, tensors):
    """Tensors by name, each an (array, dtype); float32 becomes BF16 by rounding to nearest, ties to even."""
    header, parts, at = {}, [], 0
    for name, (x, dtype) in tensors.items():
        if dtype == "BF16":
            bits = np.asarray(x, "<f4").view("<u4")
            x = np.where(np.isnan(x), 0x7FC0, (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
        parts.append(np.ascontiguousarray(x, DTYPES[dtype]).tobytes())
        header[name] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [at, at + len(parts[-1])]}
        at += len(parts[-1])
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


def option(name, default=None):
    """The value of --name=VALUE on the command line."""
    return next((a.split("=", 1)[1] for a in sys.argv[1:] if a.startswith(f"--{name}=")), default)


def main(attention):
    """attention(metadata, q=, k=, v=, ...) returns out, or out and LSE. Answers case IN to OUT, or, without these, every line's case."""

    def answer(path, to):
        metadata, tensors, dtype = read(path)
        results = attention(metadata, **tensors)
        out, lse = results if isinstance(results, tuple) else (results, None)
        write(to, {"out": (out, dtype)} | ({"lse": (lse, "F64" if dtype == "F64" else "F32")} if lse is not None else {}))
        return to

    paths = [a for a in sys.argv[1:] if not a.startswith("--")]
    try:
        for line in [] if paths else sys.stdin:
            try:
                print(answer(line.rstrip("\n"), line.rstrip("\n") + ".answer"), flush=True)
            except Unsupported as why:
                print("unsupported:", why, flush=True)
        if paths:
            answer(*paths)
    except Unsupported as why:
        print(why, file=sys.stderr)
        sys.exit(77)
