#!/bin/sh
# make.sh PROGRAM FOLDER: the data and the pictures of notes/figures.md, by ropepp-analysis at PROGRAM, into FOLDER. The committed ones are
# renewed by `notes/figures/make.sh build/analysis/ropepp-analysis notes/figures`; a test holds their data against what the program makes.
set -eu
[ $# -eq 2 ] || { echo "usage: make.sh PROGRAM FOLDER" >&2; exit 2; }

"$1" curves --max 1000000 --points 300 -o "$2/1-curves" >/dev/null
"$1" layout --model 376m -o "$2/2-heads" >/dev/null
"$1" coverage --length 4096 --target 32768 --criterion union -o "$2/3-coverage" >/dev/null
"$1" cost --model 376m -o "$2/4-cost-376m" >/dev/null
"$1" cost --model 776m -o "$2/4-cost-776m" >/dev/null
echo "figures: $2/*/*.svg, each beside its data"
