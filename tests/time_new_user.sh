#!/bin/sh
# tests/time_new_user.sh: how long a new user waits for fifteen lines of numpy: 500 cases by `exec --serve`, from a folder of their own.
# Prints the seconds; no test, since they depend on the machine. ROPEPP_VERIFY: the program, if it is not that of build/.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
verify=${ROPEPP_VERIFY:-$root/build/verify/ropepp-verify}
python=${ROPEPP_PYTHON:-/usr/bin/python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$root"/verify/examples/ropepp_case.py "$root"/verify/examples/attention_fifteen.py "$folder"
cd "$folder"
start=$(date +%s.%N)
"$verify" exec --serve --cases 500 --only mask=causal,inputs=raw,scaling=none,packed=0 -- "$python" attention_fifteen.py >&2
end=$(date +%s.%N)
echo "$start $end" | awk '{printf "%.1f seconds\n", $2 - $1}'
