# For clickhouse/clickhouse-server: the same engine as a library (chdb) behind the HTTP interface of deploy/local. User clickhouse (101), port 8123 only,
# /var/lib/clickhouse, /etc/clickhouse-server/config.d, CLICKHOUSE_USER and CLICKHOUSE_PASSWORD_FILE.
# github.com/ClickHouse/ClickHouse, docker/server. As a library the engine has two threads for all tables that read Kafka, the server sixteen: with two,
# making such tables anew waits for minutes. The engine merges what is in config.d beside its configuration, as the server does.
ARG base
FROM ${base}
RUN groupadd --system --gid 101 clickhouse && useradd --system --uid 101 --gid clickhouse --home-dir /var/lib/clickhouse --shell /bin/bash clickhouse \
    && install -d -o clickhouse -g clickhouse /var/lib/clickhouse /etc/clickhouse-server/config.d \
    && echo '<clickhouse><logger><level>none</level></logger><background_message_broker_schedule_pool_size>16</background_message_broker_schedule_pool_size></clickhouse>' >/etc/clickhouse-server/config.xml
WORKDIR /opt/clickhouse
COPY packages/node_modules node_modules
COPY package.json ./
COPY services services
COPY deploy deploy
COPY clickhouse-entrypoint.sh /entrypoint.sh
RUN chmod 755 /entrypoint.sh
USER clickhouse
EXPOSE 8123
VOLUME /var/lib/clickhouse
ENTRYPOINT ["/entrypoint.sh"]
