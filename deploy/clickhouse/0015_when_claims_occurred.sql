-- All that a claim says, so that the claims can be put back from here when Kafka is lost. Of those from before NULL: when they were
-- received counts, until the claims are read again (docs/restore.md).
ALTER TABLE {database}.identity_claims_log {on_cluster} ADD COLUMN IF NOT EXISTS occurred_at Nullable(DateTime64(3, 'UTC')) AFTER received_at;

DROP TABLE IF EXISTS {database}.identity_claims_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_claims_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_claims_errors {on_cluster} SYNC;

CREATE TABLE {database}.identity_claims_queue {on_cluster}
(
    claim_id String, kind String, identifiers Nested(type String, value String, hash String), message_id Nullable(String), source Nullable(String),
    received_at DateTime64(3, 'UTC'), occurred_at Nullable(DateTime64(3, 'UTC')), actor String, reason Nullable(String), target Nullable(String), rules Nullable(String),
    weight Nullable(Float64), definitions Nested(definition String, version Int32), generation Int32
)
ENGINE = {kafka:identity.claims};

CREATE MATERIALIZED VIEW {database}.identity_claims_ingest {on_cluster} TO {database}.identity_claims_log AS
SELECT
    claim_id, kind, identifiers.type, identifiers.value, arrayMap(hash -> toFixedString(substring(hash, 1, 32), 32), identifiers.hash) AS `identifiers.hash`,
    message_id, source, received_at, occurred_at, actor, reason, target, rules, weight,
    arrayMap((definition, version) -> concat(definition, '@', toString(version)), definitions.definition, definitions.version) AS definitions,
    toUInt32(generation) AS generation, _offset AS kafka_offset
FROM {database}.identity_claims_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.identity_claims_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_claims_queue
WHERE length(_error) > 0;
