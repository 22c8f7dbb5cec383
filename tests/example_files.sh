#!/bin/sh
# example_files.sh PROGRAM FOLDER: the worked example of files, verify/examples/dump_numpy.py: right, and with the faults that a beginner
# makes. PROGRAM is ropepp-verify, FOLDER holds the examples. Skipped, and says so, where python3 has no numpy.
program=$1
examples=$2
modules=numpy
. "$(dirname "$0")/python_with.sh"
if [ -z "$python" ]; then
  echo '1..0 # SKIP no python3 here has numpy'
  exit 0
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
test=0

# try WHAT STATUS WORDS FAULT OPTION...: dumps with a fault, "" for none, checks, and wants a status and words of the output.
try() {
  what=$1 status=$2 words=$3 fault=$4
  shift 4
  test=$((test + 1))
  rm -rf "$folder/dump"
  "$python" "$examples/dump_numpy.py" "$folder/dump" $fault >"$folder/said" 2>&1 &&
    "$program" check "$folder/dump" "$@" >"$folder/said" 2>&1
  got=$?
  if [ $got = "$status" ] && grep -qF -- "$words" "$folder/said"; then
    echo "ok $test - $what"
  else
    echo "not ok $test - $what"
    echo "# status $got, wanted $status and: $words"
    sed 's/^/# /' "$folder/said"
  fi
}

echo 1..8
try right 0 'elements: pass' '' --case ec:pairing=half,family=normal
try 'another pairing' 1 'probably: matches with pairing=half' '' --case ec:
try 'the sign of the quarter turn' 1 'probably: matches with a quarter turn of +pi/2' --fault=sign --case ec:pairing=half
try 'other axes, as they are' 2 'use --axes bhld' --fault=axes --case pairing=half
try 'other axes, with the count of heads' 2 'looks like batch, heads, length, width; use --axes bhld' --fault=axes --case ec:h=4,pairing=half
try 'other axes, said' 0 'elements: pass' --fault=axes --case ec:pairing=half --axes bhld
try 'float32 angles' 1 'probably: matches with angles=hf-f32' --fault=hf --case ec:pairing=half
try 'float32 angles, said' 0 'elements: pass' --fault=hf --case ec:pairing=half --contract angles=hf-f32
