#!/bin/bash
# kafka-configs.sh and the like, by the name that it was called by.
set -euo pipefail
case "$(basename "$0" .sh)" in
  kafka-consumer-groups) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
  kafka-configs) class=kafka.admin.ConfigCommand ;;
  *) echo "the stand-in has no $0" >&2; exit 2 ;;
esac
exec java -Xmx256m -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$class" "$@"
