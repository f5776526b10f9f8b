-- Another generation takes over from one moment to the next: its records bear a higher edition, and nobody sees them before a row here
-- says so. Each row is an edition that readers have gone over to; without any it is 1.
CREATE TABLE {database}.generations_now {on_cluster}
(
    edition    UInt32,
    generation UInt32,
    at         DateTime64(3, 'UTC')
)
ENGINE = {replacing}
ORDER BY edition;

-- The tables that read Kafka are made anew and go on at their groups' offsets: see 0009_identity_withdrawals.sql. What was there before
-- says nothing of it, and is of the first edition.
DROP TABLE IF EXISTS {database}.profiles_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.profile_versions_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.profiles_errors {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.profiles_latest_ingest {on_cluster} SYNC;

ALTER TABLE {database}.profile_versions {on_cluster} ADD COLUMN IF NOT EXISTS edition UInt32 DEFAULT 1;

ALTER TABLE {database}.profiles_latest {on_cluster} ADD COLUMN IF NOT EXISTS edition UInt32 DEFAULT 1;

-- Parts of two editions are never merged: that keeps the newest version of each edition. FINAL merges them, and PREWHERE is looked at
-- before: together they are the newest version of those editions that are asked for. Both cost what they did, while there is one.
CREATE OR REPLACE TABLE {database}.profiles_latest {on_cluster}
ENGINE = {replacing(version)}
PARTITION BY edition
ORDER BY profile_id
AS SELECT * FROM {database}.profiles_latest FINAL;

CREATE TABLE {database}.profiles_queue {on_cluster}
(
    profile_id String, kind String, version Int64, identifiers Nested(type String, value String, hash String),
    traits Nested(name String, value String, timestamp DateTime64(3, 'UTC'), message_id String, source String, sensitivity String),
    trait_origins Nested(path String, timestamp DateTime64(3, 'UTC'), message_id String, source String),
    computed Nested(name String, value String, definition_version Int32),
    audiences Nested(audience String, episode Int64, since DateTime64(3, 'UTC'), definition_version Int32),
    consents Nested(purpose String, state String, time DateTime64(3, 'UTC'), source String, policy_version Nullable(String)),
    events Int64, event_counts Nested(event String, count Int64), revenue Nested(currency String, amount String),
    order_count Int64, products Nested(product String, currency String, name String, quantity String, revenue String),
    first_touch Tuple(timestamp Nullable(DateTime64(3, 'UTC')), message_id Nullable(String), source Nullable(String), referrer Nullable(String), utm_source Nullable(String), utm_medium Nullable(String), utm_campaign Nullable(String), utm_term Nullable(String), utm_content Nullable(String), utm_id Nullable(String)),
    last_touch Tuple(timestamp Nullable(DateTime64(3, 'UTC')), message_id Nullable(String), source Nullable(String), referrer Nullable(String), utm_source Nullable(String), utm_medium Nullable(String), utm_campaign Nullable(String), utm_term Nullable(String), utm_content Nullable(String), utm_id Nullable(String)),
    session_count Int64, session_ms Int64, first_session_at Nullable(DateTime64(3, 'UTC')), last_session_at Nullable(DateTime64(3, 'UTC')),
    last_session_until Nullable(DateTime64(3, 'UTC')), last_session_events Int64,
    groups Nested(group String, traits String, timestamp DateTime64(3, 'UTC'), source String),
    interactions Nested(id String, state String, channel Nullable(String), direction Nullable(String), agent Nullable(String), timestamp DateTime64(3, 'UTC'), source String),
    sources Array(String),
    first_seen Nullable(DateTime64(3, 'UTC')), last_seen Nullable(DateTime64(3, 'UTC')), flags Array(String), changed Array(String), causes Array(String), why Array(String),
    updated_at DateTime64(3, 'UTC'), gone Bool, into Nullable(String), generation Int32, edition Int32
)
ENGINE = {kafka:profiles};

CREATE MATERIALIZED VIEW {database}.profiles_latest_ingest {on_cluster} TO {database}.profiles_latest AS
SELECT * FROM {database}.profile_versions;

CREATE MATERIALIZED VIEW {database}.profile_versions_ingest {on_cluster} TO {database}.profile_versions AS
SELECT
    toUUIDOrZero(profile_id) AS profile_id, toUInt64(greatest(version, 0)) AS version, kind,
    identifiers.type, identifiers.value, arrayMap(hash -> toFixedString(substring(hash, 1, 32), 32), identifiers.hash) AS `identifiers.hash`,
    traits.name, traits.value, traits.timestamp, traits.message_id, traits.source, traits.sensitivity,
    trait_origins.path, trait_origins.timestamp, trait_origins.message_id, trait_origins.source,
    computed.name, computed.value, computed.definition_version, audiences.audience, audiences.episode, audiences.since, audiences.definition_version,
    consents.purpose, consents.state, consents.time, consents.source, consents.policy_version,
    toUInt64(greatest(events, 0)) AS events, event_counts.event, event_counts.count,
    revenue.currency, arrayMap(amount -> toDecimal128OrZero(amount, 6), revenue.amount) AS `revenue.amount`,
    toUInt64(greatest(order_count, 0)) AS order_count,
    products.product, products.currency, products.name,
    arrayMap(quantity -> toDecimal128OrZero(quantity, 6), products.quantity) AS `products.quantity`, arrayMap(amount -> toDecimal128OrZero(amount, 6), products.revenue) AS `products.revenue`,
    first_touch, last_touch,
    toUInt64(greatest(session_count, 0)) AS session_count, toUInt64(greatest(session_ms, 0)) AS session_ms, first_session_at, last_session_at, last_session_until,
    toUInt64(greatest(last_session_events, 0)) AS last_session_events,
    groups.group, groups.traits, groups.timestamp, groups.source,
    interactions.id, interactions.state, interactions.channel, interactions.direction, interactions.agent, interactions.timestamp, interactions.source,
    sources, first_seen, last_seen, flags, changed, causes, why, updated_at, gone, toUUIDOrNull(into) AS into, toUInt32(generation) AS generation, toUInt32(greatest(edition, 1)) AS edition,
    toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.profiles_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.profiles_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.profiles_queue
WHERE length(_error) > 0;

CREATE OR REPLACE VIEW {database}.profiles {on_cluster} AS
SELECT
    profile_id, kind,
    arrayMap((type, value) -> concat(type, ':', value), identifiers.type, identifiers.value) AS identifiers,
    ifNull(accurateCastOrNull(concat('{', arrayStringConcat(arrayMap((name, value) -> concat(toJSONString(name), ':', if(isValidJSON(value), value, toJSONString(value))), traits.name, traits.value), ','), '}'), 'JSON'), CAST('{}' AS JSON)) AS traits,
    ifNull(
        accurateCastOrNull(
            concat(
                '{', arrayStringConcat(arrayConcat(
                    if(has(computed.name, 'events'), [], [concat('"events":', toString(events))]),
                    if(has(computed.name, 'revenue'), [], [concat('"revenue":', toJSONString(mapFromArrays(revenue.currency, revenue.amount)))]),
                    arrayMap((name, value) -> concat(toJSONString(name), ':', if(isValidJSON(value), value, toJSONString(value))), computed.name, computed.value)), ','), '}'),
            'JSON'),
        CAST('{}' AS JSON)) AS computed,
    audiences.audience AS audiences,
    first_seen, last_seen, version,
    events, mapFromArrays(event_counts.event, event_counts.count) AS event_counts, mapFromArrays(revenue.currency, revenue.amount) AS revenue,
    mapFromArrays(consents.purpose, consents.state) AS consents, sources, flags, updated_at, identifiers.hash AS routings,
    order_count,
    CAST(arrayZip(products.product, products.currency, products.name, products.quantity, products.revenue), 'Array(Tuple(product String, currency String, name String, quantity Decimal(38, 6), revenue Decimal(38, 6)))') AS products,
    first_touch, last_touch, session_count, session_ms, first_session_at, last_session_at, last_session_until, last_session_events,
    CAST(arrayZip(groups.group, groups.traits, groups.timestamp, groups.source), 'Array(Tuple(group String, traits String, timestamp DateTime64(3, \'UTC\'), source String))') AS groups,
    CAST(arrayZip(interactions.id, interactions.state, interactions.channel, interactions.direction, interactions.agent, interactions.timestamp, interactions.source), 'Array(Tuple(id String, state String, channel Nullable(String), direction Nullable(String), agent Nullable(String), timestamp DateTime64(3, \'UTC\'), source String))') AS interactions,
    CAST(arrayZip(trait_origins.path, trait_origins.timestamp, trait_origins.message_id, trait_origins.source), 'Array(Tuple(path String, timestamp DateTime64(3, \'UTC\'), message_id String, source String))') AS trait_origins
FROM {database}.profiles_latest FINAL
PREWHERE edition <= (SELECT greatest(max(edition), 1) FROM {database}.generations_now)
WHERE NOT gone
SETTINGS do_not_merge_across_partitions_select_final = 0, type_json_skip_duplicated_paths = 1;

CREATE OR REPLACE VIEW {database}.profile_history {on_cluster} AS
SELECT
    profile_id, version, kind,
    arrayMap((type, value) -> concat(type, ':', value), identifiers.type, identifiers.value) AS identifiers,
    ifNull(accurateCastOrNull(concat('{', arrayStringConcat(arrayMap((name, value) -> concat(toJSONString(name), ':', if(isValidJSON(value), value, toJSONString(value))), traits.name, traits.value), ','), '}'), 'JSON'), CAST('{}' AS JSON)) AS traits,
    events, mapFromArrays(revenue.currency, revenue.amount) AS revenue, first_seen, last_seen, changed, causes, why, updated_at, gone, into,
    ifNull(accurateCastOrNull(concat('{', arrayStringConcat(arrayMap((name, value) -> concat(toJSONString(name), ':', if(isValidJSON(value), value, toJSONString(value))), computed.name, computed.value), ','), '}'), 'JSON'), CAST('{}' AS JSON)) AS computed,
    mapFromArrays(consents.purpose, consents.state) AS consents,
    order_count,
    CAST(arrayZip(products.product, products.currency, products.name, products.quantity, products.revenue), 'Array(Tuple(product String, currency String, name String, quantity Decimal(38, 6), revenue Decimal(38, 6)))') AS products,
    first_touch, last_touch, session_count, session_ms, first_session_at, last_session_at, last_session_until, last_session_events,
    CAST(arrayZip(groups.group, groups.traits, groups.timestamp, groups.source), 'Array(Tuple(group String, traits String, timestamp DateTime64(3, \'UTC\'), source String))') AS groups,
    CAST(arrayZip(interactions.id, interactions.state, interactions.channel, interactions.direction, interactions.agent, interactions.timestamp, interactions.source), 'Array(Tuple(id String, state String, channel Nullable(String), direction Nullable(String), agent Nullable(String), timestamp DateTime64(3, \'UTC\'), source String))') AS interactions,
    CAST(arrayZip(trait_origins.path, trait_origins.timestamp, trait_origins.message_id, trait_origins.source), 'Array(Tuple(path String, timestamp DateTime64(3, \'UTC\'), message_id String, source String))') AS trait_origins
FROM {database}.profile_versions FINAL
WHERE edition <= (SELECT greatest(max(edition), 1) FROM {database}.generations_now)
SETTINGS type_json_skip_duplicated_paths = 1;

DROP TABLE IF EXISTS {database}.identity_mappings_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_mappings_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_mappings_errors {on_cluster} SYNC;

ALTER TABLE {database}.identity_mappings {on_cluster} ADD COLUMN IF NOT EXISTS edition UInt32 DEFAULT 1;

CREATE OR REPLACE TABLE {database}.identity_mappings {on_cluster}
ENGINE = {replacing(version)}
PARTITION BY edition
ORDER BY hash
AS SELECT * FROM {database}.identity_mappings FINAL;

CREATE TABLE {database}.identity_mappings_queue {on_cluster}
(hash String, profile_id String, version Int64, decided_at DateTime64(3, 'UTC'), generation Int32, edition Int32)
ENGINE = {kafka:identity.mappings};

CREATE MATERIALIZED VIEW {database}.identity_mappings_ingest {on_cluster} TO {database}.identity_mappings AS
SELECT toFixedString(substring(hash, 1, 32), 32) AS hash, toUUIDOrZero(profile_id) AS profile_id, toUInt64(greatest(version, 0)) AS version, decided_at, toUInt32(generation) AS generation, toUInt32(greatest(edition, 1)) AS edition
FROM {database}.identity_mappings_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.identity_mappings_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_mappings_queue
WHERE length(_error) > 0;

-- As in 0012_events_read_quickly.sql, which says why it is so.
CREATE OR REPLACE VIEW {database}.events {on_cluster} AS
SELECT
    log.message_id AS message_id, log.type AS type, log.event AS event, log.source AS source,
    ifNull((SELECT mapping.profile_id FROM (SELECT reinterpretAsUInt128(unhex(hash)) AS bits, profile_id FROM {database}.identity_mappings FINAL PREWHERE edition <= (SELECT greatest(max(edition), 1) FROM {database}.generations_now)) AS mapping WHERE mapping.bits = log.routing_bits), log.profile_id) AS profile_id,
    log.user_id AS user_id, log.anonymous_id AS anonymous_id, log.timestamp AS timestamp, log.received_at AS received_at,
    log.properties AS properties,
    ifNull(accurateCastOrNull(JSONExtractRaw(log.payload, 'context'), 'JSON'), CAST('{}' AS JSON)) AS context,
    log.original_timestamp AS original_timestamp, log.sent_at AS sent_at, log.kind AS kind, log.routing AS routing,
    log.profile_id AS stitched_profile_id, log.identifiers.type AS `identifiers.type`, log.identifiers.value AS `identifiers.value`,
    log.payload AS payload, log.enrichment AS enrichment, log.ip AS ip, log.flags AS flags, log.definitions.definition AS `definitions.definition`, log.definitions.version AS `definitions.version`,
    log.revenue AS revenue
FROM {database}.events_log AS log FINAL
SETTINGS do_not_merge_across_partitions_select_final = 0, optimize_move_to_prewhere_if_final = 1, correlated_subqueries_default_join_kind = 'left', type_json_skip_duplicated_paths = 1;

CREATE OR REPLACE VIEW {database}.event_texts {on_cluster} AS
SELECT
    log.message_id AS message_id, log.event AS event, log.source AS source,
    if(mapping.newest > 0, mapping.profile_id, log.profile_id) AS profile_id,
    log.timestamp AS timestamp, log.received_at AS received_at, log.text AS text, lowerUTF8(log.text) AS words
FROM {database}.events_log AS log FINAL
LEFT JOIN (SELECT hash, argMax(identity_mappings.profile_id, version) AS profile_id, max(version) AS newest FROM {database}.identity_mappings WHERE edition <= (SELECT greatest(max(edition), 1) FROM {database}.generations_now) GROUP BY hash) AS mapping ON log.routing = mapping.hash
WHERE log.text != '';

DROP TABLE IF EXISTS {database}.identity_changes_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_changes_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_changes_errors {on_cluster} SYNC;

ALTER TABLE {database}.identity_changes_log {on_cluster} ADD COLUMN IF NOT EXISTS edition UInt32 DEFAULT 1;

CREATE TABLE {database}.identity_changes_queue {on_cluster}
(
    kind String, profile_id String, identifier Tuple(type String, value String, hash String), to_profile_id Nullable(String), version Int64,
    other Tuple(type Nullable(String), value Nullable(String), hash Nullable(String)), reason String, claim_ids Array(String), decided_at DateTime64(3, 'UTC'),
    definitions Nested(definition String, version Int32), generation Int32, edition Int32
)
ENGINE = {kafka:identity.changes};

CREATE MATERIALIZED VIEW {database}.identity_changes_ingest {on_cluster} TO {database}.identity_changes_log AS
SELECT
    decided_at, kind, toUUIDOrZero(profile_id) AS profile_id, identifier.type AS identifier_type, identifier.value AS identifier, toFixedString(substring(identifier.hash, 1, 32), 32) AS hash,
    if(to_profile_id IS NULL, NULL, toUUIDOrNull(to_profile_id)) AS to_profile_id, toUInt64(greatest(version, 0)) AS version,
    other.type AS other_type, other.value AS other, reason, claim_ids,
    arrayStringConcat(arrayMap((definition, version) -> concat(definition, '@', toString(version)), definitions.definition, definitions.version), ', ') AS rules,
    toUInt32(generation) AS generation, toUInt32(greatest(edition, 1)) AS edition, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.identity_changes_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.identity_changes_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_changes_queue
WHERE length(_error) > 0;

CREATE OR REPLACE VIEW {database}.identity_changes {on_cluster} AS
SELECT decided_at, kind, profile_id, concat(identifier_type, ':', identifier) AS identifier, to_profile_id, version, if(other IS NULL, NULL, concat(assumeNotNull(other_type), ':', assumeNotNull(other))) AS other, reason, claim_ids, rules
FROM {database}.identity_changes_log FINAL
WHERE edition <= (SELECT greatest(max(edition), 1) FROM {database}.generations_now);
