-- A month that nothing is added to any more becomes one part, which is read without merging: FINAL then costs next to nothing.
ALTER TABLE {database}.events_log {on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

-- Exact, from the text as sent, and read alone: through a view ClickHouse reads a JSON column as a whole, whatever path is asked for.
ALTER TABLE {database}.events_log {on_cluster} ADD COLUMN IF NOT EXISTS revenue Nullable(Decimal(38, 6)) MATERIALIZED
    toDecimal128OrNull(
        trim(BOTH '"' FROM if(JSONHas(payload, 'properties', 'revenue'), JSONExtractRaw(payload, 'properties', 'revenue'), JSONExtractRaw(payload, 'properties', 'total'))),
        6) CODEC(ZSTD(1));

ALTER TABLE {database}.events_log {on_cluster} MATERIALIZE COLUMN revenue;

-- Rows of one key are the same record delivered twice, so a condition may be looked at before they collapse.
CREATE OR REPLACE VIEW {database}.events {on_cluster} AS
SELECT
    log.message_id AS message_id, log.type AS type, log.event AS event, log.source AS source,
    if(mapping.newest > 0, mapping.profile_id, log.profile_id) AS profile_id,
    log.user_id AS user_id, log.anonymous_id AS anonymous_id, log.timestamp AS timestamp, log.received_at AS received_at,
    log.properties AS properties,
    ifNull(accurateCastOrNull(JSONExtractRaw(log.payload, 'context'), 'JSON'), CAST('{}' AS JSON)) AS context,
    log.original_timestamp AS original_timestamp, log.sent_at AS sent_at, log.kind AS kind, log.routing AS routing,
    log.profile_id AS stitched_profile_id, log.identifiers.type AS `identifiers.type`, log.identifiers.value AS `identifiers.value`,
    log.payload AS payload, log.enrichment AS enrichment, log.ip AS ip, log.flags AS flags, log.definitions.definition AS `definitions.definition`, log.definitions.version AS `definitions.version`,
    log.revenue AS revenue
FROM {database}.events_log AS log FINAL
LEFT JOIN (SELECT hash, argMax(identity_mappings.profile_id, version) AS profile_id, max(version) AS newest FROM {database}.identity_mappings GROUP BY hash) AS mapping ON log.routing = mapping.hash
SETTINGS optimize_move_to_prewhere_if_final = 1;

-- `routings`: what the events of a profile are sorted by. Whoever asks for one profile's events by them reads only these.
CREATE OR REPLACE VIEW {database}.profiles {on_cluster} AS
SELECT
    profile_id, kind,
    arrayMap((type, value) -> concat(type, ':', value), identifiers.type, identifiers.value) AS identifiers,
    ifNull(accurateCastOrNull(concat('{', arrayStringConcat(arrayMap((name, value) -> concat(toJSONString(name), ':', value), traits.name, traits.value), ','), '}'), 'JSON'), CAST('{}' AS JSON)) AS traits,
    ifNull(
        accurateCastOrNull(
            concat(
                '{', arrayStringConcat(arrayConcat(
                    [concat('"events":', toString(events)), concat('"revenue":', toJSONString(mapFromArrays(revenue.currency, revenue.amount)))],
                    arrayMap((name, value) -> concat(toJSONString(name), ':', value), computed.name, computed.value)), ','), '}'),
            'JSON'),
        CAST('{}' AS JSON)) AS computed,
    audiences.audience AS audiences,
    first_seen, last_seen, version,
    events, mapFromArrays(event_counts.event, event_counts.count) AS event_counts, mapFromArrays(revenue.currency, revenue.amount) AS revenue,
    mapFromArrays(consents.purpose, consents.state) AS consents, sources, flags, updated_at, identifiers.hash AS routings
FROM {database}.profiles_latest FINAL
WHERE NOT gone;

CREATE OR REPLACE VIEW {database}.profile_history {on_cluster} AS
SELECT
    profile_id, version, kind,
    arrayMap((type, value) -> concat(type, ':', value), identifiers.type, identifiers.value) AS identifiers,
    ifNull(accurateCastOrNull(concat('{', arrayStringConcat(arrayMap((name, value) -> concat(toJSONString(name), ':', value), traits.name, traits.value), ','), '}'), 'JSON'), CAST('{}' AS JSON)) AS traits,
    events, mapFromArrays(revenue.currency, revenue.amount) AS revenue, first_seen, last_seen, changed, causes, why, updated_at, gone, into,
    ifNull(accurateCastOrNull(concat('{', arrayStringConcat(arrayMap((name, value) -> concat(toJSONString(name), ':', value), computed.name, computed.value), ','), '}'), 'JSON'), CAST('{}' AS JSON)) AS computed,
    mapFromArrays(consents.purpose, consents.state) AS consents
FROM {database}.profile_versions FINAL;
