"""test_man_page.py PROGRAM PAGE: the commands and options that a program's --help lists are those of its manual page (scdoc),
spelled alike. A line left out of the page, or one too many, must be seen."""
import collections
import os
import pathlib
import re
import subprocess
import sys
import unittest

program, page = sys.argv[1:3]
text = pathlib.Path(page).read_text()
COMMON = ['--usage', '-?, --help', '-V, --version']


def helped(*command):
    environment = dict(os.environ, ARGP_HELP_FMT='rmargin=9999')
    return subprocess.run([program, *command, '--help'], env=environment, check=True, capture_output=True, text=True).stdout


# `fuzz [KERNEL...]   what it does`: of every command.
COMMANDS = re.findall(r'^  ([a-z].*)$', helped(), re.MULTILINE)
OPTIONS = {name: re.findall(r'^ +((?:-., )?--\S+)', helped(name), re.MULTILINE) for name in (line.split()[0] for line in COMMANDS)}


def of_page(text):
    """`fuzz [KERNEL...]` and its options, of every section that is a command's."""
    commands = text[text.index('\n# COMMANDS\n'):text.index('\n# EXIT STATUS\n')].split('\n## ')[1:]
    return {section.split('\n', 1)[0]: [re.sub(r'\*|(?<!\w)_|_(?!\w)', '', line)
                                        for line in re.findall(r'^(\*-.*)\n\t', section, re.MULTILINE)] for section in commands}


def unlike(text):
    """What one of the two has and the other has not."""
    found = collections.Counter()
    for heading, options in of_page(text).items():
        name = heading.split()[0]
        # Padded to 26 characters, and then a blank; what is longer ends where the page says.
        if not any(line[:26].rstrip() == heading or len(heading) > 26 and line.startswith(heading + ' ') for line in COMMANDS):
            found[heading] += 1
        found.subtract((name, option) for option in OPTIONS.get(name, []))
        found.update((name, option) for option in COMMON + options)
    found.update(name for name in OPTIONS if name not in (heading.split()[0] for heading in of_page(text)))
    return {what: count for what, count in found.items() if count != 0}


class Page(unittest.TestCase):
    def test_page_is_what_help_says(self):
        self.assertGreaterEqual(len(COMMANDS), 4)
        self.assertEqual(unlike(text), {})

    def test_every_line_left_out_is_seen(self):
        for line in set(re.findall(r'^\*--?\w.*\n(?=\t)|^## .*\n', text, re.MULTILINE)):
            self.assertNotEqual(unlike(text.replace(line, '', 1)), {}, line)

    def test_a_line_too_many_is_seen(self):
        self.assertNotEqual(unlike(text.replace('\n## ', '\n## invented\n\n## ', 1)), {})
        self.assertNotEqual(unlike(re.sub(r'(\n## .*\n)', r'\1\n*--invented*=_N_\n\tText.\n', text, count=1)), {})

    def test_another_spelling_is_seen(self):
        self.assertNotEqual(unlike(re.sub(r'(\n\*--.*)=_', r'\1=_OTHER', text, count=1)), {})
        self.assertNotEqual(unlike(re.sub(r'(\n## \w+)', r'\1 OTHER', text, count=1)), {})


unittest.main(argv=sys.argv[:1])
