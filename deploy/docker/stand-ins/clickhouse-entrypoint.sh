#!/bin/bash
set -euo pipefail
if [ "${CLICKHOUSE_USER:-default}" != default ]; then
  echo "the stand-in knows the user default only" >&2
  exit 2
fi
export TRIBUTARY_CLICKHOUSE_HOST=0.0.0.0 TRIBUTARY_CLICKHOUSE_DIRECTORY=/var/lib/clickhouse TRIBUTARY_CLICKHOUSE_CONFIG_FILE=/etc/clickhouse-server/config.xml \
  TRIBUTARY_CLICKHOUSE_PASSWORD_FILE=${CLICKHOUSE_PASSWORD_FILE:?} UV_THREADPOOL_SIZE=10
exec node deploy/local/clickhouse-server.ts
