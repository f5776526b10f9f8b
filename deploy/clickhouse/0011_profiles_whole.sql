-- All that the feed says of a profile. What was there before says nothing of it until its next version. The table that reads Kafka is
-- made anew and goes on at its group's offsets; it takes nothing while no view reads from it, and so goes before its views and comes
-- before them, and the view of what was ingested comes before what ingests.
DROP TABLE IF EXISTS {database}.profiles_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.profile_versions_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.profiles_errors {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.profiles_latest_ingest {on_cluster} SYNC;

ALTER TABLE {database}.profile_versions {on_cluster}
    ADD COLUMN IF NOT EXISTS trait_origins Nested(path String, timestamp DateTime64(3, 'UTC'), message_id String, source LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS order_count UInt64,
    ADD COLUMN IF NOT EXISTS products Nested(product String, currency LowCardinality(String), name String, quantity Decimal(38, 6), revenue Decimal(38, 6)),
    ADD COLUMN IF NOT EXISTS first_touch Tuple(timestamp Nullable(DateTime64(3, 'UTC')), message_id Nullable(String), source Nullable(String), referrer Nullable(String), utm_source Nullable(String), utm_medium Nullable(String), utm_campaign Nullable(String), utm_term Nullable(String), utm_content Nullable(String), utm_id Nullable(String)),
    ADD COLUMN IF NOT EXISTS last_touch Tuple(timestamp Nullable(DateTime64(3, 'UTC')), message_id Nullable(String), source Nullable(String), referrer Nullable(String), utm_source Nullable(String), utm_medium Nullable(String), utm_campaign Nullable(String), utm_term Nullable(String), utm_content Nullable(String), utm_id Nullable(String)),
    ADD COLUMN IF NOT EXISTS session_count UInt64,
    ADD COLUMN IF NOT EXISTS session_ms UInt64,
    ADD COLUMN IF NOT EXISTS first_session_at Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS last_session_at Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS last_session_until Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS last_session_events UInt64,
    ADD COLUMN IF NOT EXISTS groups Nested(group String, traits String, timestamp DateTime64(3, 'UTC'), source LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS interactions Nested(id String, state LowCardinality(String), channel Nullable(String), direction Nullable(String), agent Nullable(String), timestamp DateTime64(3, 'UTC'), source LowCardinality(String));

ALTER TABLE {database}.profiles_latest {on_cluster}
    ADD COLUMN IF NOT EXISTS trait_origins Nested(path String, timestamp DateTime64(3, 'UTC'), message_id String, source LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS order_count UInt64,
    ADD COLUMN IF NOT EXISTS products Nested(product String, currency LowCardinality(String), name String, quantity Decimal(38, 6), revenue Decimal(38, 6)),
    ADD COLUMN IF NOT EXISTS first_touch Tuple(timestamp Nullable(DateTime64(3, 'UTC')), message_id Nullable(String), source Nullable(String), referrer Nullable(String), utm_source Nullable(String), utm_medium Nullable(String), utm_campaign Nullable(String), utm_term Nullable(String), utm_content Nullable(String), utm_id Nullable(String)),
    ADD COLUMN IF NOT EXISTS last_touch Tuple(timestamp Nullable(DateTime64(3, 'UTC')), message_id Nullable(String), source Nullable(String), referrer Nullable(String), utm_source Nullable(String), utm_medium Nullable(String), utm_campaign Nullable(String), utm_term Nullable(String), utm_content Nullable(String), utm_id Nullable(String)),
    ADD COLUMN IF NOT EXISTS session_count UInt64,
    ADD COLUMN IF NOT EXISTS session_ms UInt64,
    ADD COLUMN IF NOT EXISTS first_session_at Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS last_session_at Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS last_session_until Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS last_session_events UInt64,
    ADD COLUMN IF NOT EXISTS groups Nested(group String, traits String, timestamp DateTime64(3, 'UTC'), source LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS interactions Nested(id String, state LowCardinality(String), channel Nullable(String), direction Nullable(String), agent Nullable(String), timestamp DateTime64(3, 'UTC'), source LowCardinality(String));

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
    updated_at DateTime64(3, 'UTC'), gone Bool, into Nullable(String), generation Int32
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
    sources, first_seen, last_seen, flags, changed, causes, why, updated_at, gone, toUUIDOrNull(into) AS into, toUInt32(generation) AS generation,
    toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.profiles_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.profiles_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.profiles_queue
WHERE length(_error) > 0;

-- What ClickHouse cannot read as JSON, such as a number of more than 64 bits, is a text, and of two things of one path there is the first:
-- neither takes the other traits away. A computed trait named `events` or `revenue` takes the place of the figure of that name, which
-- has a column of its own.
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
WHERE NOT gone
SETTINGS type_json_skip_duplicated_paths = 1;

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
SETTINGS type_json_skip_duplicated_paths = 1;
