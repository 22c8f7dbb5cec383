"""test_installed.py BUILD SOURCE: installs a build below a scratch folder (DESTDIR) and uses what lies there as a stranger would:
compiles a program against it by pkg-config, in C and C++, shared and static; calls it from Python; reads its pages; runs its
programs. What must not be installed: files outside the prefix, build paths, rpaths, symbols that are not public. Compilers: CC,
CXX; Meson: MESON."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

build, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
here = pathlib.Path(__file__).resolve().parent
meson, cc, cxx = (shlex.split(os.environ[name]) for name in ('MESON', 'CC', 'CXX'))
scratch = tempfile.TemporaryDirectory(prefix='ropepp-installed-')
work = pathlib.Path(scratch.name).resolve()
root = work / 'root'
STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Werror']


def run(*command, **environment):
    return subprocess.run(list(map(str, command)), env=dict(os.environ, **environment), capture_output=True, text=True, cwd=work)


def output(*command, **environment):
    done = run(*command, **environment)
    assert done.returncode == 0, f'{command}: status {done.returncode}\n{done.stdout}{done.stderr}'
    return done.stdout


def setUpModule():
    global options, prefix, libraries, installed, log
    options = {option['name']: option['value'] for option in json.loads(output(*meson, 'introspect', '--buildoptions', build))}
    log = output(*meson, 'install', '-C', build, '--no-rebuild', '--destdir', root)
    prefix = root / options['prefix'].lstrip('/')
    libraries = prefix / options['libdir']
    installed = sorted(path for path in root.rglob('*') if path.is_symlink() or not path.is_dir())


def tearDownModule():
    scratch.cleanup()


def package(*arguments):
    return output('pkg-config', *arguments, PKG_CONFIG_PATH=str(libraries / 'pkgconfig'), PKG_CONFIG_SYSROOT_DIR=str(root)).split()


def header_symbols(header):
    return set(re.findall(r'RPP_API [^;(]*?\b(rpp_\w+)\(', header.read_text()))


def exported(library):
    return {line.split()[-1] for line in output('nm', '-D', '--defined-only', library).splitlines()}


def elf_files():
    return [path for path in installed if not path.is_symlink() and path.read_bytes()[:4] == b'\x7fELF']


def dynamic(path, tag):
    return re.findall(rf'\({tag}\).*\[(.*)\]', output('readelf', '-d', '-W', path))


def build_paths(path):
    """The folders of this build that a file names, debug information apart, that of device code too, which stands within it."""
    bare = work / 'stripped'
    output('strip', '-g', *(['-R', '.nv_fatbin'] if options['debug'] else []), '-o', bare, path)
    return [folder for folder in (source, build) if str(folder).encode() in bare.read_bytes()]


class Layout(unittest.TestCase):
    def test_everything_is_there(self):
        names = {str(path.relative_to(prefix)) for path in installed}
        data, pages = options['datadir'], options['mandir']
        wanted = {f'{options["bindir"]}/ropepp-verify', f'{options["bindir"]}/ropepp-analysis', f'{options["includedir"]}/ropepp.h',
                  f'{options["includedir"]}/ropepp_kernel.h',
                  f'{options["libdir"]}/libropepp.so', f'{options["libdir"]}/libropepp.so.0', f'{options["libdir"]}/libropepp.a',
                  f'{options["libdir"]}/pkgconfig/ropepp.pc', f'{data}/bash-completion/completions/ropepp-verify',
                  f'{data}/bash-completion/completions/ropepp-analysis', f'{data}/zsh/site-functions/_ropepp',
                  f'{data}/fish/vendor_completions.d/ropepp-verify.fish', f'{data}/fish/vendor_completions.d/ropepp-analysis.fish'}
        if os.environ.get('ROPEPP_PAGES') == '1':
            wanted |= {f'{pages}/man1/ropepp-verify.1', f'{pages}/man1/ropepp-analysis.1', f'{pages}/man3/libropepp.3'}
        self.assertEqual(wanted - names, set())

    def test_nothing_lies_outside_the_prefix_or_leads_there(self):
        for path in installed:
            self.assertTrue(path.is_relative_to(prefix), path)
            self.assertTrue(path.exists() and path.resolve().is_relative_to(prefix), f'{path} leads nowhere, or outside')

    def test_no_file_is_installed_twice(self):
        lines = (build / 'meson-logs' / 'install-log.txt').read_text().splitlines()
        written = [line for line in lines if not line.startswith('#') and not os.path.isdir(line)]
        self.assertGreaterEqual(len(written), 12)
        self.assertEqual(len(written), len(set(written)))
        self.assertEqual(len(written), len(installed))

    def test_no_file_names_this_build(self):
        self.assertGreaterEqual(len(elf_files()), 3)
        for path in installed:
            if path in elf_files() or path.suffix == '.a':
                self.assertEqual(build_paths(path), [], path)
            elif not path.is_symlink():
                self.assertFalse(str(source).encode() in path.read_bytes(), path)
        planted = work / 'planted'
        (work / 'planted.c').write_text(f'#include <stdio.h>\nint main(void) {{ return puts("{build}/ref"); }}\n')
        output(*cc, work / 'planted.c', '-o', planted)
        self.assertNotEqual(build_paths(planted), [])

    def test_no_rpath(self):
        for path in elf_files():
            self.assertEqual(dynamic(path, 'RPATH') + dynamic(path, 'RUNPATH'), [], path)
        planted = work / 'planted'
        output(*cc, here / 'consumer.c', '-o', planted, *package('--cflags', '--libs', 'ropepp'), '-lm', '-Wl,-rpath,/planted')
        self.assertEqual(dynamic(planted, 'RPATH') + dynamic(planted, 'RUNPATH'), ['/planted'])

    def test_built_for_more_than_this_processor(self):
        commands = json.loads((build / 'compile_commands.json').read_text())
        self.assertEqual([entry['file'] for entry in commands if re.search(r'-m(arch|cpu|tune)=native', entry['command'])], [])


class Library(unittest.TestCase):
    def test_its_name_is_versioned(self):
        version = output(*meson, 'introspect', '--projectinfo', build)
        real = libraries / f'libropepp.so.{json.loads(version)["version"]}'
        self.assertEqual(dynamic(real, 'SONAME'), ['libropepp.so.0'])
        for link in ('libropepp.so', 'libropepp.so.0'):
            self.assertEqual((libraries / link).resolve(), real)
        self.assertEqual(package('--modversion', 'ropepp'), [json.loads(version)['version']])

    def test_what_it_shows_is_what_the_header_declares(self):
        declared = header_symbols(prefix / options['includedir'] / 'ropepp.h')
        self.assertIn('rpp_attention_forward', declared)
        self.assertGreaterEqual(len(declared), 40)
        self.assertEqual(exported(libraries / 'libropepp.so'), declared)
        symbols = (source / 'debian' / 'libropepp0.symbols').read_text()
        self.assertEqual(set(re.findall(r'(?m)^ (rpp_\w+)@Base', symbols)), declared)
        # A library whose names are not hidden shows more.
        (work / 'more.c').write_text('int rpp_attention_forward(void) { return 0; }\nint rpp_row_internal(void) { return 1; }\n')
        output(*cc, '-shared', '-fPIC', work / 'more.c', '-o', work / 'libmore.so')
        self.assertEqual(exported(work / 'libmore.so') - declared, {'rpp_row_internal'})

    def test_cuda_shows_what_its_header_declares(self):
        library = libraries / 'libropepp-cuda.so'
        if not library.exists():
            self.skipTest('a build without CUDA')
        self.assertEqual(exported(library), header_symbols(prefix / options['includedir'] / 'ropepp_cuda.h'))
        self.assertIn('libropepp.so.0', dynamic(library, 'NEEDED'))
        self.assertIn('-lropepp-cuda', package('--libs', 'ropepp-cuda'))
        self.assertIn('-lropepp', package('--libs', 'ropepp-cuda'))


class Consumer(unittest.TestCase):
    def compiled(self, compiler, flags, *more):
        program = work / 'consumer'
        output(*compiler, *STRICT, *more, here / 'consumer.c', '-x', 'none', '-o', program, *flags, '-lm')
        return program

    def holds(self, program):
        done = run(program, LD_LIBRARY_PATH=str(libraries))
        self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (0, 'scores 11 and 2; out 5 6, 5 6'), done.stderr)
        self.assertEqual(run(program, 'plus', LD_LIBRARY_PATH=str(libraries)).returncode, 1)

    def test_the_header_is_the_installed_one(self):
        done = run(*cc, '-H', '-fsyntax-only', here / 'consumer.c', *package('--cflags', 'ropepp'))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(str(prefix / options['includedir'] / 'ropepp.h'), done.stderr)
        self.assertNotIn(str(source / 'ref'), done.stderr)

    def test_shared(self):
        flags = package('--cflags', '--libs', 'ropepp')
        for compiler, language, standard in ((cc, 'c', 'c99'), (cc, 'c', 'c17'), (cxx, 'c++', 'c++11'), (cxx, 'c++', 'c++20')):
            with self.subTest(standard=standard):
                program = self.compiled(compiler, flags, '-x', language, f'-std={standard}')
                self.assertIn('libropepp.so.0', dynamic(program, 'NEEDED'))
                self.holds(program)
                self.assertNotEqual(run(program, LD_LIBRARY_PATH='').returncode, 0)  # it was this library that it ran by

    def test_static(self):
        # Beside a shared OpenBLAS, which brings Fortran's runtime along.
        flags = ['-l:libropepp.a' if flag == '-lropepp' else flag for flag in package('--static', '--cflags', '--libs', 'ropepp')
                 if flag != '-lgfortran']
        for compiler, language, standard in ((cc, 'c', 'c17'), (cxx, 'c++', 'c++17')):
            with self.subTest(standard=standard):
                program = self.compiled(compiler, flags, '-x', language, f'-std={standard}')
                self.assertNotIn('libropepp.so.0', dynamic(program, 'NEEDED'))
                self.holds(program)

    def test_python(self):
        structs = ('tensor', 'rotary', 'attention', 'attention_inputs')
        sizes = '\n'.join(f'  printf("%zu\\n", sizeof(rpp_{name}));' for name in structs)
        (work / 'sizes.c').write_text(f'#include <ropepp.h>\n#include <stdio.h>\nint main(void) {{\n{sizes}\n}}\n')
        output(*cc, work / 'sizes.c', '-o', work / 'sizes', *package('--cflags', 'ropepp'))
        script = ('import array, ctypes, sys\nsys.path.insert(0, sys.argv[1])\nsys.dont_write_bytecode = True\nimport ropepp as r\n'
                  'for struct in (r.Tensor, r.Rotary, r.Attention, r.Inputs): print(ctypes.sizeof(struct))\n'
                  'q, k, v = (r.tensor(array.array("d", values), 1, 1, 1, 2) for values in ((1, 2), (3, 4), (5, 6)))\n'
                  'pos = r.tensor(array.array("q", [0]), 1)\n'
                  'print(*map(list, r.attention(r.EC, 1, 1, q, k, v, pos, pos, scale=1)))\n')
        python = (sys.executable, '-c', script, source / 'ref' / 'examples')
        for environment in ({'ROPEPP_LIBRARY': str(libraries / 'libropepp.so.0')}, {'LD_LIBRARY_PATH': str(libraries)}):
            self.assertEqual(output(*python, **environment), output(work / 'sizes') + '[5.0, 6.0, 5.0, 6.0] [11.0, 2.0]\n')
        self.assertNotEqual(run(*python, ROPEPP_LIBRARY='/nowhere.so').returncode, 0)


class Programs(unittest.TestCase):
    def test_they_run(self):
        binaries = prefix / options['bindir']
        version = json.loads(output(*meson, 'introspect', '--projectinfo', build))['version']
        for name in ('ropepp-verify', 'ropepp-analysis'):
            self.assertEqual(output(binaries / name, '--version'), f'{name} {version}\n')
        self.assertIn('40 identities, 0 failed', output(binaries / 'ropepp-verify', 'identities'))
        self.assertRegex(output(binaries / 'ropepp-analysis', 'curves', '--max', '3'), r'(?m)^3,')

    def test_plugin_by_the_installed_header(self):
        example = source / 'verify' / 'examples' / 'attention.c'
        for fault, status in (([], 0), (['-DFAULT_TURN_SIGN'], 1)):
            output(*cc, '-shared', '-fPIC', *fault, *package('--cflags', 'ropepp'), example, '-o', work / 'mine.so', '-lm')
            verify = prefix / options['bindir'] / 'ropepp-verify'
            done = run(verify, 'fuzz', '--cases', '50', '--only', 'ec', '--kernel', './mine.so')
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)

    def test_pages_can_be_read(self):
        readers = (['mandoc', '-W', 'error', '-T', 'ascii'], ['man', '-l'])
        reader = next((reader for reader in readers if shutil.which(reader[0])), None)
        pages = [path for path in installed if re.search(r'/man[0-9]/', str(path))]
        if not pages or reader is None:
            self.skipTest('a build without pages' if not pages else 'neither mandoc nor man')
        for page in pages:
            text = re.sub('.\b', '', output(*reader, page, MANWIDTH='80', MANPAGER='cat'))
            self.assertIn(f'{page.stem}({page.suffix[1:]})', text)
            for word in ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'SEE ALSO'):
                self.assertRegex(text, rf'(?m)^{word}$')
        (work / 'broken.1').write_text('.TH broken 1\n.SH NAME\n.so /nowhere\n.fi\n.RE 7\n')
        if reader[0] == 'mandoc':
            self.assertNotEqual(run(*reader, work / 'broken.1').returncode, 0)


unittest.main(argv=sys.argv[:1])
