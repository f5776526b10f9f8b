#!/bin/bash
set -euo pipefail
: "${CLICKHOUSE_USER:=default}"
password_file=${CLICKHOUSE_PASSWORD_FILE:-/tmp/password}
[ -n "${CLICKHOUSE_PASSWORD_FILE:-}" ] || printf '%s' "${CLICKHOUSE_PASSWORD:?or CLICKHOUSE_PASSWORD_FILE}" >"$password_file"
if [ "$CLICKHOUSE_USER" != default ]; then
  echo "the stand-in knows the user default only" >&2
  exit 2
fi
export TRIBUTARY_CLICKHOUSE_HOST=0.0.0.0 TRIBUTARY_CLICKHOUSE_DIRECTORY=/var/lib/clickhouse TRIBUTARY_CLICKHOUSE_CONFIG_FILE=/etc/clickhouse-server/config.xml \
  TRIBUTARY_CLICKHOUSE_PASSWORD_FILE=$password_file UV_THREADPOOL_SIZE=10
exec node deploy/local/clickhouse-server.ts
