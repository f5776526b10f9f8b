#!/bin/bash
# What docker/resources/common-scripts (configureDefaults, configure) and docker/jvm/launch of github.com/apache/kafka do, as far as it is used here.
set -euo pipefail
jvm=(-cp '/opt/kafka/libs/*' -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true)
set_up=$(java -XX:TieredStopAtLevel=1 "${jvm[@]}" kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) \
  || grep --quiet --ignore-case 'already formatted' <<<"$set_up" || { echo "$set_up" >&2; exit 1; }
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G} ${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC} "${jvm[@]}" kafka.Kafka /opt/kafka/config/server.properties
