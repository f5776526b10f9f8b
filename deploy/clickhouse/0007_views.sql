-- Views for people. Their names and columns are a contract; the tables behind them may change. No reader writes FINAL.
CREATE VIEW {database}.events {on_cluster} AS
SELECT
    log.message_id AS message_id, log.type AS type, log.event AS event, log.source AS source,
    if(mapping.newest > 0, mapping.profile_id, log.profile_id) AS profile_id,
    log.user_id AS user_id, log.anonymous_id AS anonymous_id, log.timestamp AS timestamp, log.received_at AS received_at,
    log.properties AS properties,
    ifNull(accurateCastOrNull(JSONExtractRaw(log.payload, 'context'), 'JSON'), CAST('{}' AS JSON)) AS context,
    log.original_timestamp AS original_timestamp, log.sent_at AS sent_at, log.kind AS kind, log.routing AS routing,
    log.profile_id AS stitched_profile_id, log.identifiers.type AS `identifiers.type`, log.identifiers.value AS `identifiers.value`,
    log.payload AS payload, log.enrichment AS enrichment, log.ip AS ip, log.flags AS flags, log.definitions.definition AS `definitions.definition`, log.definitions.version AS `definitions.version`
FROM {database}.events_log AS log FINAL
LEFT JOIN (SELECT hash, argMax(identity_mappings.profile_id, version) AS profile_id, max(version) AS newest FROM {database}.identity_mappings GROUP BY hash) AS mapping ON log.routing = mapping.hash;

CREATE VIEW {database}.profiles {on_cluster} AS
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
    mapFromArrays(consents.purpose, consents.state) AS consents, sources, flags, updated_at
FROM {database}.profiles_latest FINAL
WHERE NOT gone;

CREATE VIEW {database}.profile_history {on_cluster} AS
SELECT
    profile_id, version, kind,
    arrayMap((type, value) -> concat(type, ':', value), identifiers.type, identifiers.value) AS identifiers,
    ifNull(accurateCastOrNull(concat('{', arrayStringConcat(arrayMap((name, value) -> concat(toJSONString(name), ':', value), traits.name, traits.value), ','), '}'), 'JSON'), CAST('{}' AS JSON)) AS traits,
    events, mapFromArrays(revenue.currency, revenue.amount) AS revenue, first_seen, last_seen, changed, causes, why, updated_at, gone, into
FROM {database}.profile_versions FINAL;

CREATE VIEW {database}.identity_edges {on_cluster} AS
SELECT
    claim_id, kind, identifiers.type[1] AS a_type, identifiers.value[1] AS a, identifiers.type[2] AS b_type, identifiers.value[2] AS b,
    source, message_id, received_at, actor, reason, weight
FROM {database}.identity_claims_log FINAL
WHERE length(identifiers.type) = 2;

CREATE VIEW {database}.identity_changes {on_cluster} AS
SELECT decided_at, kind, profile_id, concat(identifier_type, ':', identifier) AS identifier, to_profile_id, version, if(other IS NULL, NULL, concat(assumeNotNull(other_type), ':', assumeNotNull(other))) AS other, reason, claim_ids
FROM {database}.identity_changes_log FINAL;

CREATE VIEW {database}.audience_membership {on_cluster} AS
SELECT profile_id, audience, newest.2 = 0 AS member, newest.1 AS episode, newest.3 AS since
FROM (SELECT profile_id, audience, max(tuple(episode, change = 'exited', at)) AS newest FROM {database}.audience_changes_log GROUP BY profile_id, audience);

CREATE VIEW {database}.deliveries {on_cluster} AS
SELECT finished_at, requested_at, idempotency_key, destination, action, trigger, profile_id, message_id, outcome, reason, purposes, mapFromArrays(consents.purpose, consents.state) AS consents, fields, attempts, status, answer
FROM {database}.deliveries_log FINAL;

CREATE VIEW {database}.rejected_events {on_cluster} AS
SELECT received_at, stage, reason, message, source, message_id, violations, payload, topic, partition, offset
FROM {database}.rejected_log FINAL;

CREATE VIEW {database}.definitions {on_cluster} AS
SELECT kind, name, newest.1 AS version, newest.2 AS body, newest.3 AS actor, newest.4 AS reason, newest.5 AS at
FROM (SELECT kind, name, max(tuple(version, body, actor, reason, at, deleted)) AS newest FROM {database}.definitions_log GROUP BY kind, name)
WHERE NOT newest.6;

CREATE VIEW {database}.accounting {on_cluster} AS
SELECT service, task, topic, partition, next, taken, outcomes, outputs, generation
FROM {database}.accounting_log FINAL;
