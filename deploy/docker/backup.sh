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
for name in kafka.tar.gz clickhouse.tar.gz .env .tributary-compose; do
  [ ! -e "$folder/$name" ] || { echo "$folder holds a back-up already" >&2; exit 2; }
done
kafka=$(compose ps -aq kafka)
clickhouse=$(compose ps -aq clickhouse)
if [ -z "$kafka" ] || [ -z "$clickhouse" ]; then
  echo "there are no containers here to copy from; docker compose up -d makes them" >&2
  exit 2
fi
# It has a tar that knows owners.
image=$(docker inspect --format '{{.Image}}' "$clickhouse")

running=$(compose ps -aq | xargs docker inspect --format '{{if .State.Running}}{{.Id}}{{end}}')
# shellcheck disable=SC2086
again() { [ -z "$running" ] || { docker start $running >/dev/null && echo "started again"; }; }
trap again EXIT
trap 'exit 130' HUP INT TERM
compose stop
copy() {
  docker run --rm --user root --network none --entrypoint tar --volumes-from "$2:ro" "$image" --create --gzip --directory "$3" . >"$folder/$1.part"
  mv "$folder/$1.part" "$folder/$1"
  echo "$folder/$1: $(du -h "$folder/$1" | cut -f 1)"
}
cp -p .env "$folder/"
cp -Rp .tributary-compose "$folder/"
copy clickhouse.tar.gz "$clickhouse" /var/lib/clickhouse
# Last: where it is, all is.
copy kafka.tar.gz "$kafka" /var/lib/kafka/data
echo "$folder holds everything, the secrets included"
