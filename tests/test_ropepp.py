"""test_ropepp.py GOLDEN EXAMPLES: the ctypes example, ref/examples/ropepp.py, over the golden cases that it can express: what it
returns is what another program computed. Planted errors must be caught."""
import array
import json
import pathlib
import struct
import sys
import unittest

golden, examples = map(pathlib.Path, sys.argv[1:3])
sys.path.insert(0, str(examples))
sys.dont_write_bytecode = True
import ropepp  # noqa: E402

FORMATS = {'F64': 'd', 'I64': 'q'}
MODES = {'rope': ropepp.ROPE, 'ec': ropepp.EC, 'eh': ropepp.EH}
PAIRINGS = {'interleaved': ropepp.INTERLEAVED, 'half': ropepp.HALF}
MASKS = {'causal': ropepp.CAUSAL, 'full': ropepp.FULL}


def read(path):
    """The metadata of a safetensors file, and its tensors as (values, shape)."""
    data = path.read_bytes()
    start = 8 + struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:start])
    options = header.pop('__metadata__')
    tensors = {}
    for name, t in header.items():
        begin, end = t['data_offsets']
        tensors[name] = array.array(FORMATS[t['dtype']], data[start + begin:start + end]), t['shape']
    return options, tensors


def run(options, tensors, **changes):
    inputs = [ropepp.tensor(*[tensors[name][0], *tensors[name][1]]) for name in ('q', 'k', 'v', 'pos_q', 'pos_k')]
    chosen = dict(pairing=PAIRINGS[options['pairing']], base=float(options['base']), mask=MASKS[options['mask']],
                  causal_offset=int(options['causal_offset']), scale=float(options['scale'])) | changes
    return ropepp.attention(MODES[options['mode']], int(options['heads']), int(options['kv_heads']), *inputs, **chosen)


def agrees(got, expected):
    size = max(map(abs, expected))
    return len(got) == len(expected) and all(abs(a - b) <= 1e-12 * size for a, b in zip(got, expected))


CASES = {path.stem: case for path in sorted(golden.glob('*.safetensors')) for case in [read(path)]
         if case[0]['op'] == 'attention' and case[0]['scaling'] == 'none'}


class Example(unittest.TestCase):
    def test_cases_are_there(self):
        self.assertEqual(len(CASES), 10)
        self.assertEqual({options['mode'] for options, _ in CASES.values()}, set(MODES))

    def test_results_are_the_golden_ones(self):
        for name, (options, tensors) in CASES.items():
            out, lse = run(options, tensors)
            self.assertTrue(agrees(out, tensors['out'][0]), name)
            self.assertTrue(agrees(lse, tensors['lse'][0]), name)

    def test_one_wrong_element_is_seen(self):
        for name, (options, tensors) in CASES.items():
            expected = array.array('d', tensors['out'][0])
            largest = max(range(len(expected)), key=lambda i: abs(expected[i]))
            expected[largest] *= 1 + 1e-6
            self.assertFalse(agrees(run(options, tensors)[0], expected), name)

    def test_options_reach_the_library(self):
        options, tensors = CASES['02_ec_mha_half']
        for change in ({'pairing': ropepp.INTERLEAVED}, {'base': 500.0}, {'mask': ropepp.FULL}, {'causal_offset': 1},
                       {'scale': 0.5}, {'mask': ropepp.WINDOW, 'window': 2}):
            self.assertFalse(agrees(run(options, tensors, **change)[0], tensors['out'][0]), change)

    def test_a_buffer_of_another_size_is_refused(self):
        for buffer, shape in ((array.array('d', [0.0] * 3), (1, 1, 1, 2)), (array.array('i', [0]), (1,)),
                              (memoryview(array.array('d', [0.0] * 4))[::2], (2,))):
            with self.assertRaisesRegex(ValueError, 'buffer of'):
                ropepp.tensor(buffer, *shape)

    def test_the_library_says_what_is_wrong(self):
        options, tensors = CASES['02_ec_mha_half']
        with self.assertRaisesRegex(ValueError, 'kv_heads'):
            run(dict(options, kv_heads='3'), tensors)
        with self.assertRaisesRegex(ValueError, 'base'):
            run(options, tensors, base=0.5)


unittest.main(argv=sys.argv[:1])
