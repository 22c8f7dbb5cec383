"""ropepp_case: ropepp-verify's case files and answers, in plain numpy. Copy it beside your kernel."""
import json
import sys
import traceback

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8"}


class Unsupported(Exception):
    """Raised by a kernel that declines a case; its text is the reason."""


def read(path):
    """A file's metadata, with q's dtype among them, and its tensors. BF16 comes as float32, which holds all its values."""
    data, tensors = open(path, "rb").read(), {}
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    case = header.pop("__metadata__") | {"dtype": header["q"]["dtype"]}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        x = np.frombuffer(data[start + begin : start + end], DTYPES[t["dtype"]]).reshape(t["shape"])
        tensors[name] = (x.astype("<u4") << 16).view("<f4") if t["dtype"] == "BF16" else x
    return case, tensors


def write(path, tensors):
    """Tensors by name, each an (array, dtype). float32 becomes BF16 by rounding to nearest, ties to even."""
    header, parts, at = {}, [], 0
    for name, (x, dtype) in tensors.items():
        if dtype == "BF16":
            bits = np.ascontiguousarray(x, "<f4").view("<u4")
            x = np.where(np.isnan(x), 0x7FC0, (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
        parts.append(np.ascontiguousarray(x, DTYPES[dtype]).tobytes())
        header[name] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [at, at := at + len(parts[-1])]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


def main(attention):
    """Answers the case at the first path in the second; without paths, serves. attention(case, q, k, v, ...) gives out, and LSE or None."""
    paths = [a for a in sys.argv[1:] if not a.startswith("--")]
    for path in paths[:1] or map(str.strip, sys.stdin):
        try:
            case, tensors = read(path)
            answer, results = paths[1] if paths else path + ".answer", attention(case, **tensors)
            dtypes = {"out": case["dtype"], "lse": "F64" if case["dtype"] == "F64" else "F32"}
            write(answer, {name: (x, dtypes[name]) for name, x in zip(dtypes, results) if x is not None})
            print(answer, flush=True)
        except Unsupported as why:
            print("unsupported:", why, flush=True)
            sys.exit(77) if paths else None
        except Exception as error:  # this case's; the next may be another matter
            traceback.print_exc()
            print("error:", repr(error), flush=True)
            sys.exit(1) if paths else None
