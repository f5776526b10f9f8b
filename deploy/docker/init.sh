#!/bin/sh
# Makes what an installation keeps to itself: `.env` from `.env.example`, and the secrets in `.tributary-compose/`. Run it once, before the
# first `docker compose up`. Run again, it makes what is missing and leaves what is there.
set -eu
cd "$(dirname "$0")/../.."
umask 077

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Nobody but you can enter the folder. The files in it can be read by all, since in the containers it is not you who reads them.
folder=.tributary-compose
mkdir -p "$folder"
for name in secret api-token clickhouse-password; do
  if [ -s "$folder/$name" ]; then
    echo "$folder/$name was there"
  else
    random 32 >"$folder/$name"
    chmod 444 "$folder/$name"
    echo "$folder/$name made"
  fi
done

if [ -e .env ]; then
  echo ".env was there"
else
  # 16 random bytes in base64 for URLs, as Kafka wants its clusters named.
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
  sed "s|^TRIBUTARY_KAFKA_CLUSTER_ID=.*|TRIBUTARY_KAFKA_CLUSTER_ID=$id|" .env.example >.env
  echo ".env made"
fi
echo "Keep a copy of $folder/secret: with another one every known customer is a stranger."
