#!/bin/sh
# on_device.sh GPU_CASES COMMAND...: runs a command where there is a device; else says why not and exits with 77.
set -eu
gpu_cases=$1
shift
"$gpu_cases"
exec "$@"
