#!/bin/sh
# restore.sh FOLDER: fills an empty installation with what backup.sh copied. Then: docker compose up -d
set -eu
cd "$(dirname "$0")/../.."
compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }
folder=$(cd "${1:?restore.sh FOLDER: where from?}" && pwd)
if [ -n "$(compose ps -aq)" ]; then
  echo "there is an installation here already; docker compose down -v removes it, with all its data" >&2
  exit 2
fi
cp -Rp "$folder/.env" "$folder/.tributary-compose" .
# ClickHouse and what it depends on.
compose up --no-start clickhouse
image=$(docker inspect --format '{{.Image}}' "$(compose ps -aq clickhouse)")
fill() {
  docker run --rm --user root --network none --entrypoint bash --volumes-from "$(compose ps -aq "$1")" --volume "$folder:/backup:ro" \
    "$image" -c "[ -z \"\$(find '$2' -type f -print -quit)\" ] || { echo '$1 is not empty' >&2; exit 2; }; tar --extract --gzip --same-owner --file '/backup/$1.tar.gz' --directory '$2'"
  echo "$1 restored"
}
fill kafka /var/lib/kafka/data
fill clickhouse /var/lib/clickhouse
