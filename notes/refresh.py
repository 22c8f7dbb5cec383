#!/usr/bin/env python3
"""Renews the output shown in README.md and notes/: each fenced block under a line `<!-- output of: COMMAND -->` becomes what the
command prints, run by a shell in the repository's root. Usage: notes/refresh.py [FILE ...]; without arguments, all of them."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- output of: (.+?) -->\n```\w*\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)


def renewed(match):
    done = subprocess.run(match[2], shell=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"refresh: `{match[2]}` ended with status {done.returncode}")
    return match[1] + done.stdout.rstrip("\n") + "\n" + match[4]


for path in [pathlib.Path(a) for a in sys.argv[1:]] or [ROOT / "README.md", *sorted((ROOT / "notes").glob("*.md"))]:
    text = path.read_text()
    path.write_text(BLOCK.sub(renewed, text))
    print(f"{path.name}: {len(BLOCK.findall(text))} blocks")
