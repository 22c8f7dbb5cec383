#!/bin/sh
# aarch64.sh [CASES]: the CPU kernels in NEON on a machine without it: a minimal build in build-aarch64, run by QEMU. Debian's packages:
# qemu-user gcc-aarch64-linux-gnu g++-aarch64-linux-gnu.
set -eu
cd "$(dirname "$0")/../.."
build=build-aarch64
[ -f $build/build.ninja ] ||
  meson setup $build --cross-file tests/emulated/aarch64.ini -Dminimal=true -Dcuda=disabled -Dwerror=true >/dev/null
meson compile -C $build -j 1 verify/ropepp-verify >/dev/null
aarch64-linux-gnu-gcc -O2 -shared -fPIC -DFAULT_TURN_SIGN -Iverify verify/examples/attention.c -o $build/wrong.so -lm
# Not by qemu-aarch64 -L: with it a process that forks waits for ever.
libraries=/usr/aarch64-linux-gnu/lib
OMP_NUM_THREADS=2 tests/emulated/judge.sh portable "${1:-100}" "$PWD/$build/wrong.so" \
  qemu-aarch64 $libraries/ld-linux-aarch64.so.1 --library-path $libraries $build/verify/ropepp-verify
