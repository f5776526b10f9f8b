#!/bin/sh
# backup.sh FOLDER: copies what an installation consists of: Kafka's and ClickHouse's volumes, the secrets and the settings. Stops it for that
# long, services first and Kafka last, so that topics, group offsets and transactions are of one moment; starts again what it stopped.
set -eu
cd "$(dirname "$0")/../.."
compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }
folder=${1:?backup.sh FOLDER: where to?}
umask 077
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
for name in kafka clickhouse; do
  [ ! -e "$folder/$name.tar.gz" ] || { echo "$folder holds a back-up already" >&2; exit 2; }
done
image=$(docker inspect --format '{{.Image}}' "$(compose ps -q clickhouse)")

running=$(compose ps -q | xargs docker inspect --format '{{if .State.Running}}{{.Id}}{{end}}')
# shellcheck disable=SC2086
trap 'docker start $running >/dev/null && echo started again' EXIT
compose stop
copy() {
  docker run --rm --user root --network none --entrypoint tar --volumes-from "$(compose ps -aq "$1"):ro" --volume "$folder:/backup" \
    "$image" --create --gzip --file "/backup/$1.tar.gz" --directory "$2" .
  echo "$folder/$1.tar.gz: $(du -h "$folder/$1.tar.gz" | cut -f 1)"
}
copy kafka /var/lib/kafka/data
copy clickhouse /var/lib/clickhouse
cp -Rp .env .tributary-compose "$folder/"
echo "$folder holds everything; the secrets, too"
