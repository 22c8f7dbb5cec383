#!/bin/sh
# fuzz.sh [RUNS]: builds the fuzz target of the case file reader with clang's libFuzzer, ASan and UBSan, and feeds it RUNS inputs
# (1,000,000 by default) grown from the corpus. Needs clang with libclang-rt-dev. New inputs stay in build-fuzz/new.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build-fuzz/new
clang -DRPP_LIBFUZZER -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -ffp-contract=off \
  -Iref -Iverify tests/fuzz_safetensors.c ref/[a-z]*.c \
  verify/case.c verify/case_metadata.c verify/case_truth.c verify/check_case.c verify/message.c verify/names.c verify/parse.c \
  verify/random.c verify/safetensors.c verify/scratch.c \
  -fopenmp $(pkg-config --cflags --libs openblas) -ljansson -lm -o build-fuzz/fuzz_safetensors
OMP_NUM_THREADS=1 build-fuzz/fuzz_safetensors -dict=tests/corpus/safetensors.dict -max_len=4096 -runs="${1:-1000000}" \
  -print_final_stats=1 build-fuzz/new tests/corpus/safetensors 2>&1 | tail -n 12
