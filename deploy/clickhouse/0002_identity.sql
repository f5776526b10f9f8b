-- The profile of every identifier that ever left its default profile: what makes old events follow a merge.
CREATE TABLE {database}.identity_mappings {on_cluster}
(
    hash       FixedString(32),
    profile_id UUID,
    version    UInt64,
    decided_at DateTime64(3, 'UTC'),
    generation UInt32
)
ENGINE = {replacing(version)}
ORDER BY hash;

CREATE TABLE {database}.identity_mappings_queue {on_cluster}
(hash String, profile_id String, version Int64, decided_at DateTime64(3, 'UTC'), generation Int32)
ENGINE = {kafka:identity.mappings};

CREATE MATERIALIZED VIEW {database}.identity_mappings_ingest {on_cluster} TO {database}.identity_mappings AS
SELECT toFixedString(substring(hash, 1, 32), 32) AS hash, toUUIDOrZero(profile_id) AS profile_id, toUInt64(greatest(version, 0)) AS version, decided_at, toUInt32(generation) AS generation
FROM {database}.identity_mappings_queue
WHERE length(_error) = 0;

CREATE TABLE {database}.identity_claims_log {on_cluster}
(
    claim_id    String,
    kind        LowCardinality(String),
    identifiers Nested(type LowCardinality(String), value String, hash FixedString(32)),
    message_id  Nullable(String),
    source      LowCardinality(Nullable(String)),
    received_at DateTime64(3, 'UTC'),
    actor       String,
    reason      Nullable(String),
    weight      Nullable(Float64),
    generation  UInt32,
    kafka_offset UInt64
)
ENGINE = {replacing(kafka_offset)}
ORDER BY claim_id;

CREATE TABLE {database}.identity_claims_queue {on_cluster}
(
    claim_id String, kind String, identifiers Nested(type String, value String, hash String), message_id Nullable(String), source Nullable(String),
    received_at DateTime64(3, 'UTC'), actor String, reason Nullable(String), weight Nullable(Float64), generation Int32
)
ENGINE = {kafka:identity.claims};

CREATE MATERIALIZED VIEW {database}.identity_claims_ingest {on_cluster} TO {database}.identity_claims_log AS
SELECT
    claim_id, kind, identifiers.type, identifiers.value, arrayMap(hash -> toFixedString(substring(hash, 1, 32), 32), identifiers.hash) AS `identifiers.hash`,
    message_id, source, received_at, actor, reason, weight, toUInt32(generation) AS generation, _offset AS kafka_offset
FROM {database}.identity_claims_queue
WHERE length(_error) = 0;

CREATE TABLE {database}.identity_changes_log {on_cluster}
(
    decided_at      DateTime64(3, 'UTC'),
    kind            LowCardinality(String),
    profile_id      UUID,
    identifier_type LowCardinality(String),
    identifier      String,
    hash            FixedString(32),
    to_profile_id   Nullable(UUID),
    version         UInt64,
    other_type      LowCardinality(Nullable(String)),
    other           Nullable(String),
    reason          LowCardinality(String),
    claim_ids       Array(String),
    generation      UInt32,
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = {replacing}
PARTITION BY toYYYYMM(decided_at)
ORDER BY (hash, version, kind, kafka_partition, kafka_offset);

CREATE TABLE {database}.identity_changes_queue {on_cluster}
(
    kind String, profile_id String, identifier Tuple(type String, value String, hash String), to_profile_id Nullable(String), version Int64,
    other Tuple(type Nullable(String), value Nullable(String), hash Nullable(String)), reason String, claim_ids Array(String), decided_at DateTime64(3, 'UTC'), generation Int32
)
ENGINE = {kafka:identity.changes};

CREATE MATERIALIZED VIEW {database}.identity_changes_ingest {on_cluster} TO {database}.identity_changes_log AS
SELECT
    decided_at, kind, toUUIDOrZero(profile_id) AS profile_id, identifier.type AS identifier_type, identifier.value AS identifier, toFixedString(substring(identifier.hash, 1, 32), 32) AS hash,
    if(to_profile_id IS NULL, NULL, toUUIDOrNull(to_profile_id)) AS to_profile_id, toUInt64(greatest(version, 0)) AS version,
    other.type AS other_type, other.value AS other, reason, claim_ids, toUInt32(generation) AS generation, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.identity_changes_queue
WHERE length(_error) = 0;
