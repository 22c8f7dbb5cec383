"""make.py: makes planted kernels of table.py: a copy of the source with the fault, its public names changed, to be compiled for the SIMT
runtime beside the kernel without it; and the table of them in C.

  make.py list GROUP CUDA          the files that it makes, a line each, the table first
  make.py make GROUP CUDA FOLDER   makes them of the sources in CUDA; one that is as it should be stays untouched

GROUP: faults (of selftest), address, thread (what only that sanitizer sees). A fault in a file that kernels share makes a copy of the
kernel's own source too, so that it calls the copy. Line numbers stay those of the source. An old text that is not there exactly once is
an error: a plant must not live on as something that it does not say."""

import os
import re
import sys

from table import ADDRESS_PLANTS, PLANTS, THREAD_PLANTS

GROUPS = {'faults': PLANTS, 'address': ADDRESS_PLANTS, 'thread': THREAD_PLANTS}

# The sources of a kernel that are its own.
SOURCES = {
    'attention_bf16': ['attention_mma.cu'],
    'attention_f16': ['attention_mma.cu'],
    'attention_f32': ['attention_f32.cu'],
    'decode_bf16': ['decode.cu', 'decode_mma.cu'],
    'decode_f32': ['decode.cu', 'decode_f32.cu'],
    'decode_paged_bf16': ['decode.cu', 'decode_mma.cu'],
    'decode_paged_f32': ['decode.cu', 'decode_f32.cu'],
    'rotate': ['rotate.cu'],
    'rotate_bf16': ['rotate.cu'],
    'rotate_f16': ['rotate.cu'],
    'tally': ['tally.cu'],
}


def word(plant):
    return 'rpp_plant_' + plant.name.replace('-', '_') + '_'


def read(folder, name):
    """A source of cuda/, or one beside this file."""
    path = os.path.join(folder, name)
    with open(path if os.path.exists(path) else os.path.join(os.path.dirname(__file__), name), encoding='utf-8') as file:
        return file.read()


def write(path, text):
    if os.path.exists(path):
        with open(path, encoding='utf-8') as file:
            if file.read() == text:
                return
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def public_names(source, cuda):
    return re.findall(r'extern "C" rpp_status rpp_cuda_(\w+)\(', read(cuda, source))


def sources(plant, cuda):
    """The files that are compiled for a plant: its own, and those that must call its copy. A header is compiled with each of them."""
    if plant.file.endswith('.h'):
        return SOURCES[plant.kernel]
    if public_names(plant.file, cuda):
        return [plant.file]
    return [plant.file] + [source for source in SOURCES[plant.kernel] if source != plant.file and public_names(source, cuda)]


def units(plant, cuda):
    return [plant.name + '-' + os.path.splitext(source)[0] + '.simt.cc' for source in sources(plant, cuda)]


def public_functions(plant, cuda):
    return [name for source in sources(plant, cuda) for name in public_names(source, cuda)]


def shared_functions(plant, cuda):
    """What other units may have, too: functions of these sources that a header declares, and of headers, if the fault is in one."""
    primitives = ['cu_compat.h', 'cu_hopper.h', 'float16.h'] # which call the runtime
    headers = '\n'.join(read(cuda, name) for name in sorted(os.listdir(cuda)) if name.endswith('.h') and name not in primitives)
    names = set()
    for source in sources(plant, cuda):
        at_margin = r'^(?:template <.*> )?(?!extern|static|template|using)\w[\w:<> *&]*?[ *&](\w+)\('
        names |= {name for name in re.findall(at_margin, read(cuda, source), re.M) if re.search(rf'\b{name}\(', headers)}
    if plant.file.endswith('.h'):
        names |= set(re.findall(r'^(?:template <.*> )?__device__ inline [^(]*?(\w+)\(', headers, re.M))
    return sorted(names)


def mutated(plant, text):
    if text.count(plant.old) != 1:
        sys.exit(f'{plant.name}: cuda/{plant.file} has its text {text.count(plant.old)} times, not once:\n{plant.old}')
    if plant.old.count('\n') != plant.new.count('\n'):
        sys.exit(f'{plant.name}: its new text has not as many lines as the old one')
    return text.replace(plant.old, plant.new)


def unit(plant, source, cuda):
    parts = [f'// {plant.name}: {plant.what}. Made of cuda/{source} by make.py.']
    parts += [f'#define {name} {word(plant)}{name}' for name in shared_functions(plant, cuda)]
    parts += [f'#define rpp_simt_{name} {word(plant)}{name}' for name in public_functions(plant, cuda)]
    for file in ([plant.file] if plant.file.endswith('.h') else []) + [source]:
        text = read(cuda, file)
        parts += [f'#line 1 "cuda/{file}"', mutated(plant, text) if file == plant.file else text]
    return '\n'.join(parts)


def quoted(text):
    return 'NULL' if text is None else '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def functions(plant, cuda):
    """What the verifier's kernel is made of (kernel_simt.h): its initialiser, the planted functions in place."""
    own = SOURCES[plant.kernel][0]
    if own == 'decode.cu':
        fields = {'append': 'kv_append', 'decode': 'decode', 'workspace': 'decode_workspace'}
    else:
        attention = 'attention_mma' if own == 'attention_mma.cu' else 'attention_f32'
        fields = {
            'rotate': 'rotate',
            'rotate_workspace': 'rotate_workspace',
            'attention': attention,
            'attention_workspace': attention + '_workspace',
        }
    made = public_functions(plant, cuda)
    texts = [f'.{field} = {word(plant) if name in made else "rpp_cuda_"}{name}' for field, name in fields.items()]
    if own == 'decode.cu':
        texts += ['.paged = true'] if 'paged' in plant.kernel else []
    else:
        texts.append('RPP_SIMT_WORK_MMA' if attention == 'attention_mma' else 'RPP_SIMT_WORK_F32')
    return '{' + ', '.join(texts) + '}'


def table(plants, cuda, header, declared, entry):
    parts = ['/* Made by make.py of table.py. */', f'#include "{header}"', '']
    parts += [f'__typeof__(rpp_cuda_{name}) {word(plant)}{name};' for plant in plants for name in public_functions(plant, cuda)]
    parts += ['', f'const {declared}[] = {{', *[f'    {{{entry(plant)}}},' for plant in plants], '    {0}};', '']
    return '\n'.join(parts)


def fault_table(plants, cuda):
    def entry(plant):
        texts = [plant.name, plant.what, plant.says, plant.report, plant.region]
        kind = 'rpp_simt_decoding' if SOURCES[plant.kernel][0] == 'decode.cu' else 'rpp_simt_functions'
        return f'&rpp_kernel_simt_{plant.kernel}, &(const {kind}){functions(plant, cuda)}, ' + ', '.join(map(quoted, texts))

    places = f'\nrpp_plant rpp_cuda_plant_places[{len(plants)} + 1];\n'
    return table(plants, cuda, 'plants/cuda_plants.h', 'rpp_cuda_plant rpp_cuda_plant_table', entry) + places


def sanitizer_table(plants, cuda):
    def entry(plant):
        tally = (word(plant) if plant.kernel == 'tally' else 'rpp_cuda_') + 'tally'
        return f'{quoted(plant.name)}, {quoted(plant.file)}, {functions(plant, cuda)}, {tally}'

    return table(plants, cuda, 'sanitized_plants.h', 'sanitized_plant sanitized_plants', entry)


def main():
    command, group, cuda = sys.argv[1:4]
    plants, table_name = GROUPS[group], f'cuda_{group}.c'
    if command == 'list':
        print('\n'.join([table_name] + [name for plant in plants for name in units(plant, cuda)]))
        return
    folder = sys.argv[4]
    write(os.path.join(folder, table_name), fault_table(plants, cuda) if group == 'faults' else sanitizer_table(plants, cuda))
    for plant in plants:
        for source, name in zip(sources(plant, cuda), units(plant, cuda)):
            write(os.path.join(folder, name), unit(plant, source, cuda))


main()
