-- Every version of every profile, and the newest of each.
CREATE TABLE {database}.profile_versions {on_cluster}
(
    profile_id   UUID,
    version      UInt64,
    kind         LowCardinality(String),
    identifiers  Nested(type LowCardinality(String), value String, hash FixedString(32)),
    traits       Nested(name LowCardinality(String), value String, timestamp DateTime64(3, 'UTC'), message_id String, source LowCardinality(String), sensitivity LowCardinality(String)),
    computed     Nested(name LowCardinality(String), value String, definition_version UInt32),
    audiences    Nested(audience LowCardinality(String), episode UInt64, since DateTime64(3, 'UTC'), definition_version UInt32),
    consents     Nested(purpose LowCardinality(String), state LowCardinality(String), time DateTime64(3, 'UTC'), source LowCardinality(String), policy_version Nullable(String)),
    events       UInt64,
    event_counts Nested(event LowCardinality(String), count UInt64),
    revenue      Nested(currency LowCardinality(String), amount Decimal(38, 6)),
    sources      Array(LowCardinality(String)),
    first_seen   Nullable(DateTime64(3, 'UTC')),
    last_seen    Nullable(DateTime64(3, 'UTC')),
    flags        Array(LowCardinality(String)),
    changed      Array(LowCardinality(String)),
    causes       Array(String),
    why          Array(LowCardinality(String)),
    updated_at   DateTime64(3, 'UTC'),
    gone         Bool,
    into         Nullable(UUID),
    generation   UInt32,
    kafka_partition UInt32,
    kafka_offset UInt64
)
ENGINE = {replacing}
PARTITION BY toYYYYMM(updated_at)
ORDER BY (profile_id, version);

CREATE TABLE {database}.profiles_latest {on_cluster} AS {database}.profile_versions
ENGINE = {replacing(version)}
ORDER BY profile_id;

CREATE TABLE {database}.profiles_queue {on_cluster}
(
    profile_id String, kind String, version Int64, identifiers Nested(type String, value String, hash String),
    traits Nested(name String, value String, timestamp DateTime64(3, 'UTC'), message_id String, source String, sensitivity String),
    computed Nested(name String, value String, definition_version Int32),
    audiences Nested(audience String, episode Int64, since DateTime64(3, 'UTC'), definition_version Int32),
    consents Nested(purpose String, state String, time DateTime64(3, 'UTC'), source String, policy_version Nullable(String)),
    events Int64, event_counts Nested(event String, count Int64), revenue Nested(currency String, amount String), sources Array(String),
    first_seen Nullable(DateTime64(3, 'UTC')), last_seen Nullable(DateTime64(3, 'UTC')), flags Array(String), changed Array(String), causes Array(String), why Array(String),
    updated_at DateTime64(3, 'UTC'), gone Bool, into Nullable(String), generation Int32
)
ENGINE = {kafka:profiles};

CREATE MATERIALIZED VIEW {database}.profile_versions_ingest {on_cluster} TO {database}.profile_versions AS
SELECT
    toUUIDOrZero(profile_id) AS profile_id, toUInt64(greatest(version, 0)) AS version, kind,
    identifiers.type, identifiers.value, arrayMap(hash -> toFixedString(substring(hash, 1, 32), 32), identifiers.hash) AS `identifiers.hash`,
    traits.name, traits.value, traits.timestamp, traits.message_id, traits.source, traits.sensitivity,
    computed.name, computed.value, computed.definition_version, audiences.audience, audiences.episode, audiences.since, audiences.definition_version,
    consents.purpose, consents.state, consents.time, consents.source, consents.policy_version,
    toUInt64(greatest(events, 0)) AS events, event_counts.event, event_counts.count,
    revenue.currency, arrayMap(amount -> toDecimal128OrZero(amount, 6), revenue.amount) AS `revenue.amount`,
    sources, first_seen, last_seen, flags, changed, causes, why, updated_at, gone, toUUIDOrNull(into) AS into, toUInt32(generation) AS generation,
    toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.profiles_queue
WHERE length(_error) = 0;

-- From what was ingested above, not from the queue again: one reading, two tables.
CREATE MATERIALIZED VIEW {database}.profiles_latest_ingest {on_cluster} TO {database}.profiles_latest AS
SELECT * FROM {database}.profile_versions;

CREATE TABLE {database}.audience_changes_log {on_cluster}
(
    at              DateTime64(3, 'UTC'),
    profile_id      UUID,
    audience        LowCardinality(String),
    change          LowCardinality(String),
    episode         UInt64,
    profile_version UInt64,
    why             LowCardinality(String),
    generation      UInt32
)
ENGINE = {replacing}
PARTITION BY toYYYYMM(at)
ORDER BY (profile_id, audience, episode, change);

CREATE TABLE {database}.audience_changes_queue {on_cluster}
(profile_id String, audience String, change String, episode Int64, profile_version Int64, at DateTime64(3, 'UTC'), why String, generation Int32)
ENGINE = {kafka:audience.changes};

CREATE MATERIALIZED VIEW {database}.audience_changes_ingest {on_cluster} TO {database}.audience_changes_log AS
SELECT at, toUUIDOrZero(profile_id) AS profile_id, audience, change, toUInt64(greatest(episode, 0)) AS episode, toUInt64(greatest(profile_version, 0)) AS profile_version, why, toUInt32(generation) AS generation
FROM {database}.audience_changes_queue
WHERE length(_error) = 0;
