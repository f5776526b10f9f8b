-- What was accepted, counted here once more; what was rejected; the running totals of every task; what could not be ingested.
CREATE TABLE {database}.collected {on_cluster}
(
    received_at     DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source          LowCardinality(String),
    message_id      String CODEC(ZSTD(1)),
    kafka_partition UInt32,
    kafka_offset    UInt64 CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = {replacing}
PARTITION BY toYYYYMM(received_at)
ORDER BY (kafka_partition, kafka_offset);

CREATE TABLE {database}.collected_queue {on_cluster} (message_id String, source String, received_at DateTime64(3, 'UTC'))
ENGINE = {kafka:events.collected};

CREATE MATERIALIZED VIEW {database}.collected_ingest {on_cluster} TO {database}.collected AS
SELECT received_at, source, message_id, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.collected_queue
WHERE length(_error) = 0;

CREATE TABLE {database}.rejected_log {on_cluster}
(
    received_at     DateTime64(3, 'UTC'),
    rejected_at     DateTime64(3, 'UTC'),
    stage           LowCardinality(String),
    reason          LowCardinality(String),
    message         String,
    source          LowCardinality(Nullable(String)),
    message_id      Nullable(String),
    violations      Array(String),
    payload         String CODEC(ZSTD(3)),
    topic           LowCardinality(Nullable(String)),
    partition       Nullable(Int32),
    offset          Nullable(Int64),
    generation      UInt32,
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = {replacing}
PARTITION BY toYYYYMM(received_at)
ORDER BY (stage, reason, kafka_partition, kafka_offset);

CREATE TABLE {database}.rejected_queue {on_cluster}
(
    stage String, reason String, message String, source Nullable(String), message_id Nullable(String), received_at DateTime64(3, 'UTC'), rejected_at DateTime64(3, 'UTC'),
    violations Array(String), payload String, topic Nullable(String), partition Nullable(Int32), offset Nullable(Int64), generation Int32
)
ENGINE = {kafka:events.rejected};

CREATE MATERIALIZED VIEW {database}.rejected_ingest {on_cluster} TO {database}.rejected_log AS
SELECT received_at, rejected_at, stage, reason, message, source, message_id, violations, payload, topic, partition, offset, toUInt32(generation) AS generation, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.rejected_queue
WHERE length(_error) = 0;

CREATE TABLE {database}.accounting_log {on_cluster}
(
    service      LowCardinality(String),
    task         LowCardinality(String),
    topic        LowCardinality(String),
    partition    UInt32,
    next         UInt64,
    taken        UInt64,
    outcomes     Map(String, Int64),
    outputs      Map(String, Int64),
    generation   UInt32,
    kafka_offset UInt64
)
ENGINE = {replacing(kafka_offset)}
ORDER BY (generation, service, task, topic, partition);

CREATE TABLE {database}.accounting_queue {on_cluster}
(service String, task String, topic String, partition Int32, next Int64, taken Int64, outcomes Map(String, Int64), outputs Map(String, Int64), generation Int32)
ENGINE = {kafka:internal.g{generation}.accounting};

CREATE MATERIALIZED VIEW {database}.accounting_ingest {on_cluster} TO {database}.accounting_log AS
SELECT service, task, topic, toUInt32(partition) AS partition, toUInt64(greatest(next, 0)) AS next, toUInt64(greatest(taken, 0)) AS taken, outcomes, outputs, toUInt32(generation) AS generation, _offset AS kafka_offset
FROM {database}.accounting_queue
WHERE length(_error) = 0;

CREATE TABLE {database}.definitions_log {on_cluster}
(
    kind         LowCardinality(String),
    name         String,
    version      UInt32,
    body         String,
    actor        String,
    reason       String,
    at           DateTime64(3, 'UTC'),
    deleted      Bool
)
ENGINE = {replacing}
ORDER BY (kind, name, version);

CREATE TABLE {database}.definitions_queue {on_cluster} (kind String, name String, version Int32, body String, actor String, reason String, at DateTime64(3, 'UTC'), deleted Bool)
ENGINE = {kafka:definitions};

CREATE MATERIALIZED VIEW {database}.definitions_ingest {on_cluster} TO {database}.definitions_log AS
SELECT kind, name, toUInt32(version) AS version, body, actor, reason, at, deleted
FROM {database}.definitions_queue
WHERE length(_error) = 0;

CREATE TABLE {database}.ingest_errors {on_cluster}
(
    at              DateTime DEFAULT now(),
    topic           LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64,
    error           String,
    record          String CODEC(ZSTD(3))
)
ENGINE = {replacing}
ORDER BY (topic, kafka_partition, kafka_offset)
TTL at + INTERVAL 30 DAY;
