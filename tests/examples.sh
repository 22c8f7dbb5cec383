#!/bin/sh
# tests/examples.sh numpy|torch|triton: the Python examples as a new user runs them, copied to a folder of their own: right as they are,
# and what the verifier says of each fault that can be planted in them. 77 when no Python here has what they need; ROPEPP_PYTHON names
# one to try first. ROPEPP_VERIFY: the program.
set -u
example=$1
case $example in
numpy) modules="numpy" ;;
torch) modules="numpy, torch" ;;
triton) modules="numpy, torch, triton" ;;
esac

. "$(dirname "$0")/python_with.sh"
if [ -z "$python" ]; then
  echo "skipped: no python3 here has $modules"
  exit 77
fi

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cp "$(dirname "$0")"/../verify/examples/*.py "$folder" || exit 1
cd "$folder" || exit 1
export PYTHONDONTWRITEBYTECODE=1
failed=0

# expect STATUS TEXT WORD...: `exec WORD...` ends with this status, and says the text.
expect() {
  status=$1 text=$2
  shift 2
  "$ROPEPP_VERIFY" exec "$@" >said 2>&1
  got=$?
  if [ $got -ne "$status" ] || ! grep -qF -- "$text" said; then
    echo "status $got, not $status, or not \"$text\": exec $*"
    cat said
    failed=1
  fi
}

# The replay line of what was said last fails as well, pasted into a shell.
replays() {
  line=$(sed -n 's/^ *replay: ropepp-verify //p' said | head -n 1)
  eval "\"\$ROPEPP_VERIFY\" $line" >said 2>&1
  if [ $? -ne 1 ] || ! grep -q '^1 cases, 1 failures' said; then
    echo "the replay line does not fail as it should: $line"
    cat said
    failed=1
  fi
}

kernel=attention_$example.py
case $example in
numpy)
  known=mask=causal,inputs=raw,scaling=none,packed=0
  expect 0 "500 cases, 0 failures" --serve --cases 500 --only $known -- "$python" attention_fifteen.py
  expect 1 "probably: matches with a quarter turn of +pi/2" --serve --cases 60 --only $known -- "$python" attention_fifteen.py --fault=sign
  replays
  expect 0 "200 cases, 0 failures" --serve --cases 200 -- "$python" $kernel
  expect 0 "6 cases, 0 failures" --cases 6 -- "$python" $kernel {in} {out}
  expect 0 "100 cases, 0 failures" --serve --cases 100 --contract bf16,rotated=f32,p=f32,acc=f32 -- "$python" $kernel
  expect 0 "60 cases, 0 failures" --serve --cases 60 --only dtype=f64 -- "$python" $kernel
  expect 1 "probably: matches with a quarter turn of +pi/2" --serve --cases 60 -- "$python" $kernel --fault=sign
  replays
  ;;
torch)
  far=position=200000
  expect 0 "200 cases, 0 failures" --serve --cases 200 -- "$python" $kernel
  expect 0 "100 cases, 0 failures" --serve --cases 100 --only dtype=bf16 -- "$python" $kernel
  expect 0 "60 cases, 0 failures" --serve --cases 60 --only $far -- "$python" $kernel
  expect 0 "60 cases, 0 failures" --serve --cases 60 --only $far --contract f32,angles=hf-f32 -- "$python" $kernel --angles=hf-f32
  expect 1 "probably: matches with angles=hf-f32: float32 angles" --serve --cases 60 --only $far -- "$python" $kernel --angles=hf-f32
  replays
  expect 1 "probably: matches with heads stacked" --serve --cases 40 -- "$python" $kernel --fault=stacked
  expect 1 "probably: matches with KV head o mod K: tiled instead of repeated" --serve --cases 40 -- "$python" $kernel --fault=repeat
  ;;
triton)
  "$python" -c "import torch, sys; sys.exit(not torch.cuda.is_available())" || export TRITON_INTERPRET=1
  expect 0 "20 cases, 0 failures" --serve --cases 20 --timeout 120 -- "$python" $kernel
  expect 1 "probably: matches with the last tile filled up with keys that score 0" --serve --cases 10 --timeout 120 \
    --only packed=0,mask=full -- "$python" $kernel --fault=tail
  ;;
esac
exit $failed
