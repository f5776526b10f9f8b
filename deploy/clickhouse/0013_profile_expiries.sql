-- Identifiers of anonymous profiles that expired: what was received of them until then counts for nothing.
CREATE TABLE {database}.profile_expiries_log {on_cluster}
(
    hash            FixedString(32),
    identifier_type LowCardinality(String),
    profile_id      UUID,
    until           DateTime64(3, 'UTC'),
    decided_at      DateTime64(3, 'UTC'),
    generation      UInt32
)
ENGINE = {replacing(until)}
ORDER BY hash;

CREATE TABLE {database}.profile_expiries_queue {on_cluster}
(identifier_type String, hash String, profile_id String, until DateTime64(3, 'UTC'), decided_at DateTime64(3, 'UTC'), generation Int32)
ENGINE = {kafka:profile.expiries};

CREATE MATERIALIZED VIEW {database}.profile_expiries_ingest {on_cluster} TO {database}.profile_expiries_log AS
SELECT
    toFixedString(substring(hash, 1, 32), 32) AS hash, identifier_type, toUUIDOrZero(profile_id) AS profile_id, until, decided_at,
    toUInt32(generation) AS generation
FROM {database}.profile_expiries_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.profile_expiries_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.profile_expiries_queue
WHERE length(_error) > 0;

CREATE VIEW {database}.profile_expiries {on_cluster} AS
SELECT profile_id, identifier_type, hash, until, decided_at
FROM {database}.profile_expiries_log FINAL;
