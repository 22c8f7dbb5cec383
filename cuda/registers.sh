#!/bin/sh
# registers.sh: the registers that ptxas gives each kernel of cuda/ on sm_80 and sm_90, and bytes that it spills; a line each. Needs nvcc and
# c++filt; takes some minutes.
set -eu
cd "$(dirname "$0")"
PATH=$PATH:/usr/local/cuda/bin
object=$(mktemp)
trap 'rm -f "$object"' EXIT

nvcc --version | sed -n 's/.*release \([0-9.]*\),.*/nvcc \1: registers on sm_80, sm_90; bytes spilled/p'
for file in attention_f32 attention_mma decode decode_f32 decode_mma kv_append rotate angles; do
  for arch in 80 90; do
    nvcc -std=c++17 -O3 -fmad=false -x cu -I ../ref -arch=sm_$arch -Xptxas -v -c $file.cu -o "$object" 2>&1
  done
done | c++filt | awk '
  /Compiling entry function/ {
    name = $0
    sub(/.*entry function ./, "", name); sub(/. for .sm_[0-9]*.$/, "", name)
    gsub(/rpp_cuda_target::|\(anonymous namespace\)::|mma::|rpp_/, "", name); gsub(/ >/, ">", name)
    sub(/^void /, "", name); sub(/\(.*/, "", name)
  }
  /spill stores/ { match($0, /[0-9]+ bytes spill stores/); spilled[name] += substr($0, RSTART, RLENGTH) + 0 }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/); registers[name] = registers[name] sprintf("%6d", substr($0, RSTART + 5, RLENGTH - 5))
  }
  END { for (name in registers) printf "%-44s%s%6d\n", name, registers[name], spilled[name] }' | LC_ALL=C sort -V
