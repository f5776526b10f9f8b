#!/bin/sh
# restore.sh FOLDER: makes an installation out of what backup.sh copied, where there is none. Then: docker compose up -d
set -eu
cd "$(dirname "$0")/../.."
compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }
refuse() { echo "$1" >&2; exit 2; }
folder=$(cd "${1:?restore.sh FOLDER: where from?}" && pwd)
[ -e "$folder/kafka.tar.gz" ] || refuse "$folder holds no whole back-up"

# The secrets and settings of another installation are not written over.
for name in .env .tributary-compose; do
  [ ! -e "$name" ] || diff -r "$name" "$folder/$name" >/dev/null || refuse "$name is there and is not the back-up's; move it away first"
done
for name in .env .tributary-compose; do
  [ -e "$name" ] || cp -Rp "$folder/$name" .
done
[ -z "$(compose ps -aq)" ] || refuse "there is an installation here already; docker compose down -v removes it, with all its data"

# ClickHouse and what it depends on.
compose up --no-start clickhouse
image=$(docker inspect --format '{{.Image}}' "$(compose ps -aq clickhouse)")
in_volumes_of() {
  container=$(compose ps -aq "$1")
  program=$2
  shift 2
  docker run --rm --interactive --user root --network none --entrypoint "$program" --volumes-from "$container" "$image" "$@"
}
empty() {
  [ -z "$(in_volumes_of "$1" find "$2" -type f -print -quit)" ] || refuse "the volume of $1 is not empty; docker compose down -v removes it, with all its data"
}
fill() {
  in_volumes_of "$1" tar --extract --gzip --same-owner --directory "$2" <"$folder/$1.tar.gz"
  echo "$1 restored"
}
empty kafka /var/lib/kafka/data
empty clickhouse /var/lib/clickhouse
fill clickhouse /var/lib/clickhouse
fill kafka /var/lib/kafka/data
