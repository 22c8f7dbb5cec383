#!/bin/sh
# fuzz.sh [RUNS]: builds the fuzz target of the case file reader with clang's libFuzzer, ASan and UBSan, and feeds it RUNS inputs
# (1,000,000 by default) grown from the corpus. Needs clang with libclang-rt-dev. New inputs stay in build-fuzz/new.
set -eu
cd "$(dirname "$0")/.."
rm -rf build-fuzz/objects
mkdir -p build-fuzz/new build-fuzz/objects
cd build-fuzz/objects
flags="-DRPP_LIBFUZZER -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -ffp-contract=off -fopenmp -I../../ref -I../../verify"
flags="$flags $(pkg-config --cflags openblas jansson)"
# An archive, so that only what the reader and the truth reach is linked: the blocked kernels would want their vector code.
clang $flags -fsanitize=fuzzer-no-link -Wno-pass-failed -c ../../ref/[a-z]*.c \
  ../../ref/program/message.c ../../ref/program/names.c ../../ref/program/parse.c ../../verify/base/elements.c ../../verify/base/random.c \
  ../../verify/base/scratch.c \
  ../../verify/files/case.c ../../verify/files/case_metadata.c ../../verify/files/npy.c ../../verify/files/read_file.c \
  ../../verify/files/safetensors.c \
  ../../verify/judge/case_truth.c ../../verify/judge/check_case.c
ar rcs libfuzzed.a ./*.o
clang $flags -fsanitize=fuzzer ../../tests/fuzz_safetensors.c libfuzzed.a $(pkg-config --libs openblas jansson) -lm -o ../fuzz_safetensors
cd ../..
OMP_NUM_THREADS=1 build-fuzz/fuzz_safetensors -dict=tests/corpus/safetensors.dict -max_len=4096 -runs="${1:-1000000}" \
  -print_final_stats=1 build-fuzz/new tests/corpus/safetensors 2>&1 | tail -n 12
