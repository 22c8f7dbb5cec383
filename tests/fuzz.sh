#!/bin/sh
# fuzz.sh [RUNS]: builds the fuzz target of the case file reader with clang's libFuzzer, ASan and UBSan, and feeds it RUNS inputs
# (1,000,000 by default) grown from the corpus. Needs clang with libclang-rt-dev. New inputs stay in build-fuzz/new.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build-fuzz/new
clang -DRPP_LIBFUZZER -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -ffp-contract=off \
  -Iref -Iverify tests/fuzz_safetensors.c ref/[a-z]*.c \
  ref/program/message.c ref/program/names.c ref/program/parse.c verify/base/random.c verify/base/scratch.c \
  verify/files/case.c verify/files/case_metadata.c verify/files/safetensors.c \
  verify/judge/case_truth.c verify/judge/check_case.c \
  -fopenmp $(pkg-config --cflags --libs openblas) -ljansson -lm -o build-fuzz/fuzz_safetensors
OMP_NUM_THREADS=1 build-fuzz/fuzz_safetensors -dict=tests/corpus/safetensors.dict -max_len=4096 -runs="${1:-1000000}" \
  -print_final_stats=1 build-fuzz/new tests/corpus/safetensors 2>&1 | tail -n 12
