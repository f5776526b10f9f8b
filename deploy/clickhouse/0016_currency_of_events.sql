-- The currency of amounts that name none, as it was when the event was accepted: without it the log does not tell what a replay needs.
-- Of events from before it is empty, and their source's of today counts.
ALTER TABLE {database}.events_log {on_cluster} ADD COLUMN IF NOT EXISTS currency LowCardinality(String) AFTER ip;

DROP TABLE IF EXISTS {database}.events_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.events_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.events_errors {on_cluster} SYNC;

CREATE TABLE {database}.events_queue {on_cluster}
(
    message_id String, type String, event Nullable(String), source String, user_id Nullable(String), anonymous_id Nullable(String),
    original_timestamp DateTime64(3, 'UTC'), sent_at Nullable(DateTime64(3, 'UTC')), received_at DateTime64(3, 'UTC'), timestamp DateTime64(3, 'UTC'),
    flags Array(String), kind String, identifiers Nested(type String, value String, hash String), payload String, ip Nullable(String), enrichment String,
    consents Nested(purpose String, state String, time DateTime64(3, 'UTC'), source String, policy_version Nullable(String)),
    currency String, definitions Nested(definition String, version Int32), generation Int32, profile_id String, mapping_version Int64
)
ENGINE = {kafka:events.stitched};

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
    ip, currency, enrichment,
    consents.purpose, consents.state, consents.time, consents.source, consents.policy_version,
    definitions.definition, definitions.version,
    flags, toUInt32(generation) AS generation,
    toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.events_queue
WHERE length(_error) = 0
SETTINGS type_json_skip_duplicated_paths = 1;

CREATE MATERIALIZED VIEW {database}.events_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.events_queue
WHERE length(_error) > 0;
