#!/usr/bin/env bash
# Test on N GPUs, or with N processes on a CPU (sequences are divided among them):
#   tools/dist_test.sh CONFIG CHECKPOINT N [options of tools/test.py]
# Several machines: run it on each with NNODES, NODE_RANK, MASTER_ADDR (and PORT) set.
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,4s/^# //p' "$0" >&2; exit 2; fi
CONFIG=$1 CHECKPOINT=$2 N=$3
shift 3
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(n=$(($(nproc) / N)); echo $((n > 0 ? n : 1)))}
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}" \
    --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="${PORT:-29501}" \
    --nproc-per-node="$N" \
    "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "$@"
