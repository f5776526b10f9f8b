#!/bin/sh
# Makes what an installation keeps to itself: `.env` from `.env.example`, and the secrets in `.tributary-compose/`. Run it once, before the
# first `docker compose up`. Run again, it makes what is missing and leaves what is there.
set -eu
cd "$(dirname "$0")/../.."
umask 077

# Nobody but you can enter the folder. The files in it can be read by all, since in the containers it is not you who reads them.
folder=.tributary-compose
mkdir -p "$folder"
chmod 700 "$folder"
for name in secret api-token clickhouse-password; do
  if [ -s "$folder/$name" ]; then
    echo "$folder/$name was there"
  else
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$folder/$name.part"
    mv "$folder/$name.part" "$folder/$name"
    echo "$folder/$name made"
  fi
  chmod 444 "$folder/$name"
done
# ClickHouse's user in its container is not you either.
chmod a+r deploy/docker/clickhouse.xml

if [ ! -e .env ]; then
  cp .env.example .env
  echo ".env made"
fi
if ! grep -q '^TRIBUTARY_KAFKA_CLUSTER_ID=.' .env; then
  # 16 random bytes in base64 for URLs, as Kafka wants its clusters named; not beginning like a flag.
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' | sed 's/^-/A/')
  {
    grep -v '^TRIBUTARY_KAFKA_CLUSTER_ID=' .env || true
    echo "TRIBUTARY_KAFKA_CLUSTER_ID=$id"
  } >.env.part
  mv .env.part .env
  echo "Kafka's cluster named"
fi
echo "Keep a copy of $folder/secret: with another one every known customer is a stranger."
