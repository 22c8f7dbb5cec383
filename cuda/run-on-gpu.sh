#!/bin/sh
# run-on-gpu.sh [BUILD]: everything that needs a GPU, in at most ten minutes: build, the suite `gpu`, compute-sanitizer's four tools, fuzz, the
# bench, and one table of what came of it. It needs nvcc, a C and C++ compiler, Python, Meson and ninja, no network and no other library:
# the build is the minimal one. Status: 0 all passed, 1 something failed, 2 it cannot be built here, 77 no device.
#
# BUILD, build-gpu if not given, keeps the build and, in BUILD/gpu, what every step has said.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${1:-build-gpu}
log=$build/gpu
rows=""
failed=0
end=$(($(date +%s) + 570))

say() { printf 'run-on-gpu: %s\n' "$*"; }

# row NAME VERDICT SECONDS WHAT
row() {
  line=$(printf '%-22s %-8s %5s s  %s' "$1" "$2" "$3" "$4")
  say "$line"
  rows="$rows$line
"
}

# What a step's output comes to: Meson's counts, or the last line.
sum_of() {
  counts=$(sed -n 's/^\(Ok\|Fail\|Skipped\|Timeout\): *\([0-9]*\) *$/\1 \2/p' "$1" | tr '\n' ' ')
  if [ -n "$counts" ]; then echo "$counts"; else grep -v '^ *$' "$1" | tail -n 1 | cut -c 1-100; fi
}

# step NAME SECONDS COMMAND...: runs it, its output in the log. Its status.
step() {
  name=$1 limit=$2 left=$((end - $(date +%s)))
  shift 2
  if [ "$left" -lt 10 ]; then
    left_out "$name" "no time is left"
    failed=1
    return 1
  fi
  if [ "$limit" -gt "$left" ]; then limit=$left; fi
  say "$name"
  begin=$(date +%s)
  timeout --kill-after=10 "$limit" "$@" >"$log/$name.log" 2>&1
  status=$?
  spent=$(($(date +%s) - begin))
  text=$(sum_of "$log/$name.log")
  case $status in
  0) row "$name" ok "$spent" "$text" ;;
  77) row "$name" skipped "$spent" "$text" ;;
  124 | 137) row "$name" LATE "$spent" "ended after $limit s: $log/$name.log" ;;
  *) row "$name" FAILED "$spent" "$text ($log/$name.log)" ;;
  esac
  case $status in 0 | 77) ;; *) failed=1 ;; esac
  return "$status"
}

left_out() { row "$1" "left out" 0 "$2"; }

finish() {
  printf '\n%s\n' "$rows"
  exit "$1"
}

# ---- Build ----------------------------------------------------------------------------------------------------------------

PATH=$PATH:/usr/local/cuda/bin
for tool in nvcc c++ cc python3 meson ninja; do
  command -v "$tool" >/dev/null || {
    say "$tool is missing: nothing can be built"
    exit 2
  }
done
mkdir -p "$log" || exit 2
say "left out by the minimal build: what needs jansson, OpenBLAS, GSL, Check or MPFR (case files, JSON, analysis, unit tests)"
if [ ! -f "$build/build.ninja" ]; then
  step configure 60 meson setup "$build" -Dminimal=true -Dcuda=enabled --buildtype=debugoptimized || finish 2
fi
step compile 300 ninja -C "$build" || finish 2
gpu_cases=$build/tests/gpu/gpu_cases
verify=$build/verify/ropepp-verify
step device 60 "$gpu_cases"
status=$?
if [ "$status" -ne 0 ]; then
  say "$(tail -n 1 "$log/device.log")"
  finish "$status"
fi

# ---- Right ----------------------------------------------------------------------------------------------------------------

step suite 150 meson test -C "$build" --suite gpu --no-rebuild --print-errorlogs

# ---- Fast -----------------------------------------------------------------------------------------------------------------

step bench 90 "$build/cuda/bench/ropepp-cuda-bench"
if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  copy=$(sed -n 's/^| copy .*| *\([0-9]*\) GB\/s.*/\1/p' "$log/bench.log")
  before=$failed # of other people's kernels: no failure of ours
  step sdpa 60 python3 cuda/bench/sdpa.py "$copy"
  failed=$before
else
  left_out sdpa "no PyTorch that sees the device"
fi

# ---- Right, at length -----------------------------------------------------------------------------------------------------

sanitizer=$(command -v compute-sanitizer || echo "$(dirname "$(command -v nvcc)")/compute-sanitizer")
for tool in memcheck racecheck synccheck initcheck; do
  if [ -x "$sanitizer" ]; then
    step "$tool" 60 "$sanitizer" --tool "$tool" --error-exitcode 9 "$gpu_cases" bare 40 20
  else
    left_out "$tool" "no compute-sanitizer beside nvcc"
  fi
done

# A kernel at a time: every worker has memory of its own on the device.
kernels=$("$verify" kernels | sed -n 's/^\(cuda:[^ ]*\) .*/\1/p')
count=$(printf '%s\n' "$kernels" | wc -l)
for kernel in $kernels; do
  step "fuzz-${kernel#cuda:}" $((180 / count + 60)) "$verify" fuzz --cases $((100000 / count)) --seconds $((180 / count)) "$kernel"
done

cat "$log/bench.log"
[ -f "$log/sdpa.log" ] && cat "$log/sdpa.log"
finish "$failed"
