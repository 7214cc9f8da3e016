#!/usr/bin/env bash
# GNU parallel: lines of JSON in, answers out in the same order, from as many processes as there are cores.
# parallel.sh [OPTIONS OF dockeropt fix] < lines.jsonl > answers.jsonl
#
# BLOCK is how much text a process gets. `--sshlogin` in PARALLEL, a variable that GNU parallel reads, names more machines.
set -euo pipefail

exec parallel --will-cite --pipe --keep-order --block "${BLOCK:-1M}" --halt now,fail=1 --quote \
  "${DOCKEROPT:-dockeropt}" fix --stdin-jsonl "$@"
