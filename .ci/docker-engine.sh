#!/usr/bin/env bash
# A Docker engine for the tests in containers: the one that answers, or on a Debian machine where CI is root one of Debian's packages. Then
# stand-ins for the images that cannot be pulled. Exit code 1, and a line that says why: there is none.
#   docker-engine.sh PIDFILE    PIDFILE holds the engine's pid when this has started it
set -euo pipefail
pid_file=${1:?docker-engine.sh PIDFILE}
cd "$(dirname "$0")/.."

if ! docker version >/dev/null 2>&1; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "no Docker engine answers, and only root on Debian can install one here" >&2
    exit 1
  fi
  if ! command -v dockerd >/dev/null || ! command -v docker-compose >/dev/null || ! command -v mmdebstrap >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends docker.io docker-compose tini iptables mmdebstrap >/dev/null
  fi
  setsid dockerd --pidfile "$pid_file" >"$pid_file.log" 2>&1 </dev/null &
  for _ in $(seq 150); do
    if docker version >/dev/null 2>&1; then break; fi
    sleep 0.2
  done
  docker version >/dev/null 2>&1 || { tail -n 20 "$pid_file.log" >&2; exit 1; }
fi

for image in $(deploy/docker/stand-ins.sh --images); do
  docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" >/dev/null 2>&1 || true
done
deploy/docker/stand-ins.sh
