# For apache/kafka: user appuser (1000), /opt/kafka, /etc/kafka/secrets, /var/lib/kafka/data, /mnt/shared/config. The environment is read by Kafka's own
# KafkaDockerWrapper, as in the real image. github.com/apache/kafka, docker/jvm/Dockerfile.
ARG base
FROM ${base}
RUN useradd --uid 1000 --create-home --home-dir /home/appuser --shell /bin/bash appuser \
    && mkdir -p /opt/kafka/config /opt/kafka/bin /opt/kafka/libs /etc/kafka/docker /etc/kafka/secrets /var/lib/kafka/data /mnt/shared/config \
    && chown -R appuser:appuser /opt/kafka /mnt/shared/config && chown -R appuser:root /var/lib/kafka /etc/kafka \
    && touch /etc/kafka/docker/server.properties
COPY libs /opt/kafka/libs
COPY kafka-run.sh /etc/kafka/docker/run
COPY kafka-tool.sh /opt/kafka/bin/
# The tools that docs/operations.md and the tests use.
RUN cd /opt/kafka/bin && chmod 755 kafka-tool.sh /etc/kafka/docker/run \
    && for tool in kafka-consumer-groups kafka-configs; do ln -s kafka-tool.sh $tool.sh; done
USER appuser
EXPOSE 9092
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
