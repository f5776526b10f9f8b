-- The routing identifier, which is 32 hexadecimal digits, as the number that they are: half as long to read and quicker to look up.
ALTER TABLE {database}.events_log {on_cluster} ADD COLUMN IF NOT EXISTS routing_bits UInt128 MATERIALIZED reinterpretAsUInt128(unhex(routing)) CODEC(ZSTD(1));

-- For what was there before. Goes on by itself; until it is done the number is made when it is read.
ALTER TABLE {database}.events_log {on_cluster} MATERIALIZE COLUMN routing_bits;

-- Of two things of one path, such as `a.b` and the `b` of `a`, there is the first: neither takes the other properties away.
ALTER TABLE {database}.events_ingest {on_cluster} MODIFY QUERY
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
WHERE length(_error) = 0
SETTINGS type_json_skip_duplicated_paths = 1;

-- The profile of now is looked up by an expression, not by a join of the view, so that who does not ask for it does not pay for it.
-- The inner subquery is what lets it be done in one pass: only where both sides are columns are events not read once more. The events
-- go past the mappings ('left'), not the mappings past a table of all events. Rows of one key are the same record delivered twice, so a
-- condition may be looked at before they collapse.
CREATE OR REPLACE VIEW {database}.events {on_cluster} AS
SELECT
    log.message_id AS message_id, log.type AS type, log.event AS event, log.source AS source,
    ifNull((SELECT mapping.profile_id FROM (SELECT reinterpretAsUInt128(unhex(hash)) AS bits, profile_id FROM {database}.identity_mappings FINAL) AS mapping WHERE mapping.bits = log.routing_bits), log.profile_id) AS profile_id,
    log.user_id AS user_id, log.anonymous_id AS anonymous_id, log.timestamp AS timestamp, log.received_at AS received_at,
    log.properties AS properties,
    ifNull(accurateCastOrNull(JSONExtractRaw(log.payload, 'context'), 'JSON'), CAST('{}' AS JSON)) AS context,
    log.original_timestamp AS original_timestamp, log.sent_at AS sent_at, log.kind AS kind, log.routing AS routing,
    log.profile_id AS stitched_profile_id, log.identifiers.type AS `identifiers.type`, log.identifiers.value AS `identifiers.value`,
    log.payload AS payload, log.enrichment AS enrichment, log.ip AS ip, log.flags AS flags, log.definitions.definition AS `definitions.definition`, log.definitions.version AS `definitions.version`,
    log.revenue AS revenue
FROM {database}.events_log AS log FINAL
SETTINGS optimize_move_to_prewhere_if_final = 1, correlated_subqueries_default_join_kind = 'left', type_json_skip_duplicated_paths = 1;
