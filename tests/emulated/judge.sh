#!/bin/sh
# judge.sh SET CASES WRONG COMMAND...: whether COMMAND, a ropepp-verify, finds the CPU kernels right in the instruction set SET, on CASES
# cases of each kernel and layout. Sparse tensors are left out: emulators take seconds for their address space. WRONG is the plug-in of
# verify/examples that turns the wrong way, which must not pass.
set -eu
set=$1 cases=$2 wrong=$3
shift 3
if ! "$@" kernels | grep -q "^blocked .*($set);"; then
  echo "judge.sh: blocked does not run in $set" >&2
  exit 1
fi
for kernel in blocked blocked-f16 blocked-bf16; do
  for layout in contiguous sliced; do
    report=$("$@" fuzz "$kernel" --cases "$cases" --only "layout=$layout" 2>&1) || {
      echo "$report" >&2
      exit 1
    }
    echo "$set, $kernel, $layout: $(echo "$report" | tail -n 1)"
  done
done
if ! "$@" fuzz --kernel "$wrong" --cases 20 --only ec:layout=contiguous 2>&1 | grep -q "quarter turn of +pi/2"; then
  echo "judge.sh: nothing is said of a plug-in that turns the wrong way" >&2
  exit 1
fi
echo "$set: right, and a wrong plug-in is not"
