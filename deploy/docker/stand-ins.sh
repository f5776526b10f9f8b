#!/bin/bash
# Builds STAND-INS for the images that docker-compose.yml, the Dockerfile and the tests name, for machines that cannot pull the real ones: same
# names, same ports, paths, users and settings as far as Tributary uses them, other contents. They are for testing the compose file, never
# for production. Wants a Docker engine, mmdebstrap, Maven and Node; root. An image of that name that is not a stand-in is left alone.
#
#   deploy/docker/stand-ins.sh            build what is missing
#   deploy/docker/stand-ins.sh --remove   remove them all
#   deploy/docker/stand-ins.sh --images   print which images those are
set -euo pipefail
cd "$(dirname "$0")/../.."

label=tributary.stand-in
from_compose() { sed -n "s|^ *image: \($1:[^ ]*\).*|\1|p" docker-compose.yml | head -n 1; }
kafka=$(from_compose apache/kafka)
registry=$(from_compose apicurio/apicurio-registry)
clickhouse=$(from_compose clickhouse/clickhouse-server)
node=$(sed -n 's|^FROM \(node:[^ ]*\).*|\1|p' deploy/docker/Dockerfile | head -n 1)

if [ "${1:-}" = --images ]; then
  printf '%s\n' "$node" "$kafka" "$registry" "$clickhouse"
  exit
fi
if [ "${1:-}" = --remove ]; then
  # By name: Tributary's own image, which is built on one of them, has inherited the label.
  for image in "$kafka" "$registry" "$clickhouse" "$node" tributary-stand-in/java:21 tributary-stand-in/debian:trixie; do
    is=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$image" 2>/dev/null || true)
    if [ "$is" = true ]; then docker rmi "$image"; fi
  done
  exit
fi
[ $# -eq 0 ] || { sed -n 's/^# \{0,1\}//p' "$0" | head -n 9; exit 2; }

# The stand-in of ClickHouse is made of files of the project: one of other files is made anew.
sources=$(find deploy/local/clickhouse deploy/local/clickhouse-server.ts services/shared deploy/docker/stand-ins* -type f -print0 |
  LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-32)
labelled() { docker image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null || true; }
missing=()
for image in "$node" "$kafka" "$registry" "$clickhouse"; do
  docker image inspect "$image" >/dev/null 2>&1 || missing+=("$image")
done
if [ "$(labelled "$clickhouse" "$label")" = true ] && [ "$(labelled "$clickhouse" "$label.sources")" != "$sources" ]; then
  missing+=("$clickhouse")
fi
if [ ${#missing[@]} -eq 0 ]; then
  echo "stand-ins: nothing to build, every image is there"
  exit
fi

for program in docker mmdebstrap mvn npm node; do
  command -v "$program" >/dev/null || { echo "stand-ins: $program is missing; install it" >&2; exit 2; }
done

cat >&2 <<LOUD
*****************************************************************************
*  STAND-INS, NOT THE REAL IMAGES. What follows builds, on this machine:
$(printf '*    %s\n' "${missing[@]}")
*  from Debian's packages, Maven Central's jars and npm's packages, and gives
*  it the official names. Good for testing, not for production.
*****************************************************************************
LOUD

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wanted() { printf '%s\n' "${missing[@]}" | grep --quiet --fixed-strings --line-regexp "$1"; }
# The old builder, which every engine has; it warns that it is old.
build() { DOCKER_BUILDKIT=0 docker build --label "$label=true" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; }
said() { echo "stand-ins: $1 ($SECONDS s)"; }

base=tributary-stand-in/debian:trixie
java=tributary-stand-in/java:21
if ! docker image inspect "$base" >/dev/null 2>&1; then
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,curl,wget trixie "$work/root.tar"
  docker import --change "LABEL $label=true" "$work/root.tar" "$base-plain" >/dev/null
  # They trust whom this machine trusts, and fetch packages from where it does.
  mkdir "$work/base"
  cp /etc/ssl/certs/ca-certificates.crt "$work/base/"
  npm config get registry | sed 's/^/registry=/' >"$work/base/npmrc"
  build --build-arg "base=$base-plain" --file deploy/docker/stand-ins/base.Dockerfile --tag "$base" "$work/base"
  docker rmi "$base-plain" >/dev/null
  said "$base"
fi

if wanted "$node"; then
  version=${node#node:}
  mkdir -p "$work/node"
  npm install --prefix "$work/node" --no-save --no-audit --no-fund --loglevel=error --ignore-scripts "node-linux-$(node -p process.arch)@${version%%-*}" npm@11
  build --build-arg "base=$base" --file deploy/docker/stand-ins/node.Dockerfile --tag "$node" "$work/node"
  said "$node"
fi

if wanted "$kafka" || wanted "$registry"; then
  mvn --batch-mode --quiet --file deploy/docker/stand-ins/pom.xml "-Dcache=$work/jars" "-Dkafka.version=${kafka#*:}" "-Dregistry.version=${registry#*:}" generate-resources
  build --build-arg "base=$base" --file deploy/docker/stand-ins/java.Dockerfile --tag "$java" deploy/docker/stand-ins
  said "$java"
fi
if wanted "$kafka"; then
  cp deploy/docker/stand-ins/kafka-*.sh "$work/jars/kafka/"
  build --build-arg "base=$java" --file deploy/docker/stand-ins/kafka.Dockerfile --tag "$kafka" "$work/jars/kafka"
  said "$kafka"
fi
if wanted "$registry"; then
  build --build-arg "base=$java" --file deploy/docker/stand-ins/registry.Dockerfile --tag "$registry" "$work/jars/registry"
  said "$registry"
fi

if wanted "$clickhouse"; then
  mkdir -p "$work/clickhouse/deploy/local" "$work/clickhouse/services"
  cp package.json "$work/clickhouse/"
  cp -r deploy/local/clickhouse deploy/local/clickhouse-server.ts "$work/clickhouse/deploy/local/"
  cp -r services/shared "$work/clickhouse/services/"
  cp deploy/docker/stand-ins/clickhouse-entrypoint.sh "$work/clickhouse/"
  version() { node --print "require('./package-lock.json').packages['node_modules/$1'].version"; }
  # shellcheck disable=SC2046
  npm install --prefix "$work/clickhouse/packages" --no-save --no-audit --no-fund --loglevel=error --ignore-scripts \
    $(for name in chdb pino prom-client; do echo "$name@$(version "$name")"; done)
  build --label "$label.sources=$sources" --build-arg "base=$node" --file deploy/docker/stand-ins/clickhouse.Dockerfile --tag "$clickhouse" "$work/clickhouse"
  said "$clickhouse"
fi
