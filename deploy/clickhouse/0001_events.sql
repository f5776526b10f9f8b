-- The event log. Sorted by routing identifier, never by profile: which profile an identifier belongs to may change.
CREATE TABLE {database}.events_log {on_cluster}
(
    received_at        DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    timestamp          DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    original_timestamp DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    sent_at            Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    message_id         String CODEC(ZSTD(1)),
    type               LowCardinality(String),
    event              LowCardinality(Nullable(String)),
    source             LowCardinality(String),
    kind               LowCardinality(String),
    routing            FixedString(32) CODEC(ZSTD(1)),
    profile_id         UUID CODEC(ZSTD(1)),
    mapping_version    UInt64 CODEC(ZSTD(1)),
    user_id            Nullable(String) CODEC(ZSTD(1)),
    anonymous_id       Nullable(String) CODEC(ZSTD(1)),
    identifiers        Nested(type LowCardinality(String), value String, hash FixedString(32)),
    payload            String CODEC(ZSTD(3)),
    properties         JSON(max_dynamic_paths = 256),
    ip                 Nullable(String),
    enrichment         String CODEC(ZSTD(1)),
    consents           Nested(purpose LowCardinality(String), state LowCardinality(String), time DateTime64(3, 'UTC'), source LowCardinality(String), policy_version Nullable(String)),
    definitions        Nested(definition LowCardinality(String), version UInt32),
    flags              Array(LowCardinality(String)),
    generation         UInt32,
    kafka_partition    UInt32,
    kafka_offset       UInt64 CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = {replacing}
PARTITION BY toYYYYMM(received_at)
ORDER BY (routing, received_at, source, message_id);

CREATE TABLE {database}.events_queue {on_cluster}
(
    message_id String, type String, event Nullable(String), source String, user_id Nullable(String), anonymous_id Nullable(String),
    original_timestamp DateTime64(3, 'UTC'), sent_at Nullable(DateTime64(3, 'UTC')), received_at DateTime64(3, 'UTC'), timestamp DateTime64(3, 'UTC'),
    flags Array(String), kind String, identifiers Nested(type String, value String, hash String), payload String, ip Nullable(String), enrichment String,
    consents Nested(purpose String, state String, time DateTime64(3, 'UTC'), source String, policy_version Nullable(String)),
    definitions Nested(definition String, version Int32), generation Int32, profile_id String, mapping_version Int64
)
ENGINE = {kafka:events.stitched};

-- Every expression is total: one that throws would stop the table for ever.
CREATE MATERIALIZED VIEW {database}.events_ingest {on_cluster} TO {database}.events_log AS
SELECT
    received_at, timestamp, original_timestamp, sent_at, message_id, type, event, source, kind,
    toFixedString(substring(identifiers.hash[1], 1, 32), 32) AS routing,
    toUUIDOrZero(profile_id) AS profile_id,
    toUInt64(greatest(mapping_version, 0)) AS mapping_version,
    user_id, anonymous_id,
    identifiers.type, identifiers.value, arrayMap(hash -> toFixedString(substring(hash, 1, 32), 32), identifiers.hash) AS `identifiers.hash`,
    payload,
    ifNull(accurateCastOrNull(JSONExtractRaw(payload, 'properties'), 'JSON(max_dynamic_paths = 256)'), CAST('{}' AS JSON(max_dynamic_paths = 256))) AS properties,
    ip, enrichment,
    consents.purpose, consents.state, consents.time, consents.source, consents.policy_version,
    definitions.definition, definitions.version,
    flags, toUInt32(generation) AS generation,
    toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.events_queue
WHERE length(_error) = 0;
