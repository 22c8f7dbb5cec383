"""ropepp.py: libropepp from Python, by ctypes alone: attention forward over any writable buffers (array.array, numpy arrays ...).

    q, k, v = (ropepp.tensor(array.array('d', [1.0, 2.0]), 1, 1, 1, 2) for _ in range(3))  # (batch, length, heads, width)
    pos = ropepp.tensor(array.array('q', [0]), 1)
    out, lse = ropepp.attention(ropepp.EC, 1, 1, q, k, v, pos, pos)

ROPEPP_LIBRARY names the library where it is not installed. A struct below has the fields of its namesake in ropepp.h."""
import array, ctypes, math, os
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_double, c_int, c_int64, c_uint64, c_void_p

ROPE, EC, EH = range(3)
INTERLEAVED, HALF = range(2)
CAUSAL, FULL, WINDOW = range(3)
DTYPES = {'d': 0, 'f': 1, 'e': 2, 'q': 4, 'l': 4}  # by a buffer's format: F64, F32, F16, I64

def struct(name, **fields):
    return type(name, (ctypes.Structure,), {'_fields_': list(fields.items())})

Tensor = struct('Tensor', data=c_void_p, dtype=c_int, ndim=c_int, shape=c_int64 * 4, strides=c_int64 * 4, byte_offset=c_uint64)
Scaling = struct('Scaling', kind=c_int, factor=c_double, orig=c_double, low=c_double, high=c_double)
Rotary = struct('Rotary', pairing=c_int, rotary_dim=c_int64, base=c_double, scaling=Scaling, angles=c_int, table_dtype=c_int,
                inv_freq=POINTER(Tensor), cos=POINTER(Tensor), sin=POINTER(Tensor))
Attention = struct('Attention', mode=c_int, heads=c_int64, kv_heads=c_int64, rotary=Rotary, mask=c_int, causal_offset=c_int64,
                   window=c_int64, scale=c_double, q_rotated=c_bool, k_rotated=c_bool)
Inputs = struct('Inputs', **{name: POINTER(Tensor) for name in ('q', 'k', 'v', 'pos_q', 'pos_k', 'cu_q', 'cu_k')})

library = ctypes.CDLL(os.environ.get('ROPEPP_LIBRARY', 'libropepp.so.0'))
library.rpp_error_message.restype = c_char_p
library.rpp_tensor_contiguous.argtypes = [c_void_p, c_int, c_int, POINTER(c_int64), POINTER(Tensor)]
library.rpp_attention_forward.argtypes = [POINTER(Attention), POINTER(Inputs)] + [POINTER(Tensor)] * 3

def check(status):
    if status != 0:
        raise ValueError(library.rpp_error_message().decode())

def tensor(buffer, *shape):
    """A row-major tensor over a buffer of exactly that many elements; it keeps the buffer alive."""
    view, made = memoryview(buffer), Tensor()
    if not view.c_contiguous or view.nbytes != math.prod(shape) * view.itemsize or view.format not in DTYPES:
        raise ValueError(f'buffer of {view.nbytes} bytes, format {view.format}: not a contiguous {shape}')
    made.buffer = (c_char * view.nbytes).from_buffer(buffer)
    check(library.rpp_tensor_contiguous(made.buffer, DTYPES[view.format], len(shape), (c_int64 * len(shape))(*shape), made))
    return made

def attention(mode, heads, kv_heads, q, k, v, pos_q, pos_k, pairing=HALF, base=10000.0, mask=CAUSAL, causal_offset=0,
              window=0, scale=None):
    """out (B, Lq, O, Dv) and LSE (B, O, Lq) in float64. heads, kv_heads: those of the RoPE model that the mode starts from."""
    (batch, length, projected, width), v_width = q.shape, v.shape[3]
    outputs = projected if mode == ROPE else 2 * projected
    out, lse = (array.array('d', bytes(8 * batch * length * outputs * w)) for w in (v_width, 1))
    rotary = Rotary(pairing=pairing, rotary_dim=width, base=base)
    options = Attention(mode=mode, heads=heads, kv_heads=kv_heads, rotary=rotary, mask=mask, causal_offset=causal_offset,
                        window=window, scale=width ** -0.5 if scale is None else scale)
    inputs = Inputs(*(ctypes.pointer(t) for t in (q, k, v, pos_q, pos_k)))
    results = tensor(out, batch, length, outputs, v_width), tensor(lse, batch, outputs, length)
    check(library.rpp_attention_forward(options, inputs, None, *results))
    return out, lse
