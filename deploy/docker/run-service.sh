#!/bin/bash
# run-service NAME [FLAG…]: what every container of the image does. NAME is a folder of services/, or a program of deploy/: `provision`,
# `restore/clickhouse`.
set -euo pipefail
cd /app
name=${1:?which service? a folder of services/, or provision}
shift
program=services/$name/main.ts
[ -f "$program" ] || program=deploy/$name.ts
if [ ! -f "$program" ]; then
  echo "there is no service named $name" >&2
  exit 2
fi

# Where several containers of a service share a volume, each takes the first directory that no other holds. The kernel keeps the lock
# for as long as the process lives, also when it is suspended, and no longer, also when it is killed.
if [ -z "${TRIBUTARY_DATA:-}" ]; then
  number=1
  while true; do
    export TRIBUTARY_DATA=/data/$number
    mkdir -p "$TRIBUTARY_DATA"
    exec {lock}>"$TRIBUTARY_DATA/lock"
    if flock --nonblock "$lock"; then break; fi
    exec {lock}>&-
    number=$((number + 1))
  done
fi

# Room for a whole batch among the young: what lives as long as a batch would else be copied, and collected slowly.
exec node --max-semi-space-size=32 "$program" "$@"
