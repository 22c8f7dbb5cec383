"""test_completion.py FOLDER VERIFY ANALYSIS: what the completion scripts in FOLDER offer for ropepp-verify and ropepp-analysis; and
that they ask the program, whatever it is. zsh and fish, where they are installed, read theirs."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

folder, verify, analysis = map(pathlib.Path, sys.argv[1:4])
PATH = f'{verify.parent}:{analysis.parent}:{os.environ["PATH"]}'

# As readline would call it: words broken at blanks, : and =.
BASH = r'''
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
read -ra COMP_WORDS <<<"${2//[:=]/ & }"
[[ $2 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ropepp "${COMP_WORDS[0]}"
printf '%s\n' "${COMPREPLY[@]}"
'''


def offered(line, path=PATH):
    done = subprocess.run(['bash', '--norc', '-c', BASH, 'bash', folder / 'completion.bash', line], env=dict(os.environ, PATH=path),
                          check=True, capture_output=True, text=True)
    assert done.stderr == '', done.stderr
    return done.stdout.split()


@unittest.skipUnless(shutil.which('bash'), 'no bash')
class Bash(unittest.TestCase):
    def test_commands(self):
        self.assertLessEqual({'fuzz', 'identities', 'check', 'replay', 'errata'}, set(offered('ropepp-verify ')))
        self.assertEqual(offered('ropepp-verify fu'), ['fuzz'])
        self.assertEqual(sorted(offered('ropepp-analysis ')), ['cost', 'coverage', 'curves', 'layout'])
        self.assertEqual(offered('ropepp-analysis fu'), [])

    def test_options(self):
        self.assertEqual(offered('ropepp-verify fuzz --ca'), ['--cases='])
        self.assertEqual(offered('ropepp-verify fuzz blocked --se'), ['--seconds=', '--seed='])
        self.assertEqual(offered('ropepp-verify bench --mem'), ['--memory'])
        self.assertEqual(offered('ropepp-analysis coverage --pa'), ['--packed'])
        self.assertEqual(offered('ropepp-verify --ca'), [])
        self.assertEqual(offered('ropepp-verify --vers'), ['--version'])

    def test_kernels(self):
        self.assertLessEqual({'blocked', 'simt:rotate'}, set(offered('ropepp-verify fuzz ')))
        self.assertEqual(offered('ropepp-verify fuzz --cases 3 blocked-b'), ['blocked-bf16'])
        self.assertEqual(offered('ropepp-verify fuzz simt:rotate-h'), ['rotate-hf-f32'])  # bash puts it behind the colon
        self.assertEqual(offered('ropepp-verify bench --vs=simt:rotate-h'), ['rotate-hf-f32'])
        self.assertEqual(offered('ropepp-verify bench --vs=blocked-b'), ['blocked-bf16'])

    def test_nothing_where_files_are_meant(self):
        self.assertEqual(offered('ropepp-verify check '), [])
        self.assertEqual(offered('ropepp-verify fuzz --output='), [])

    def test_the_program_is_asked(self):
        with tempfile.TemporaryDirectory() as scratch:
            program = pathlib.Path(scratch) / 'ropepp-verify'
            program.write_text('#!/bin/sh\nprintf "Commands:\\n  zeta CASE...    what\\n  zulu\\n"\n')
            program.chmod(0o755)
            self.assertEqual(offered('ropepp-verify z', f'{scratch}:{PATH}'), ['zeta', 'zulu'])
            self.assertEqual(offered('ropepp-verify fu', f'{scratch}:{PATH}'), [])
            program.unlink()
            self.assertEqual(offered('ropepp-verify fu', f'{scratch}:/usr/bin:/bin'), [])


class Others(unittest.TestCase):
    @unittest.skipUnless(shutil.which('zsh'), 'no zsh')
    def test_zsh_reads_its_own(self):
        subprocess.run(['zsh', '-n', folder / 'completion.zsh'], check=True)
        self.assertRegex((folder / 'completion.zsh').read_text(), '^#compdef ropepp-verify ropepp-analysis\n')

    @unittest.skipUnless(shutil.which('fish'), 'no fish')
    def test_fish(self):
        def fish(line):
            script = f'source {folder}/completion.fish; complete -C "{line}"'
            done = subprocess.run(['fish', '--no-config', '-c', script], env=dict(os.environ, PATH=PATH), check=True,
                                  capture_output=True, text=True)
            return [re.sub(r'\t.*', '', found) for found in done.stdout.splitlines()]
        self.assertEqual(fish('ropepp-verify fu'), ['fuzz'])
        self.assertEqual(fish('ropepp-verify fuzz --ca'), ['--cases='])
        self.assertEqual(fish('ropepp-verify fuzz simt:rotate-h'), ['simt:rotate-hf-f32'])
        self.assertEqual(fish('ropepp-analysis lay'), ['layout'])


unittest.main(argv=sys.argv[:1])
