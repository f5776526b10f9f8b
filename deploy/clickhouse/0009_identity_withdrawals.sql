-- Claims say what they withdraw and which definitions they come from; changes say which rules decided. What was there before says
-- nothing of it (NULL). A table that reads Kafka cannot be altered: it is made anew and goes on at its group's offsets; it takes
-- nothing while no view reads from it, and so goes before its views and comes before them.
ALTER TABLE {database}.identity_claims_log {on_cluster} ADD COLUMN IF NOT EXISTS target Nullable(String);

ALTER TABLE {database}.identity_claims_log {on_cluster} ADD COLUMN IF NOT EXISTS rules Nullable(String);

ALTER TABLE {database}.identity_claims_log {on_cluster} ADD COLUMN IF NOT EXISTS definitions Array(LowCardinality(String));

ALTER TABLE {database}.identity_changes_log {on_cluster} ADD COLUMN IF NOT EXISTS rules LowCardinality(Nullable(String));

DROP TABLE IF EXISTS {database}.identity_claims_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_claims_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_claims_errors {on_cluster} SYNC;

CREATE TABLE {database}.identity_claims_queue {on_cluster}
(
    claim_id String, kind String, identifiers Nested(type String, value String, hash String), message_id Nullable(String), source Nullable(String),
    received_at DateTime64(3, 'UTC'), actor String, reason Nullable(String), target Nullable(String), rules Nullable(String), weight Nullable(Float64),
    definitions Nested(definition String, version Int32), generation Int32
)
ENGINE = {kafka:identity.claims};

CREATE MATERIALIZED VIEW {database}.identity_claims_ingest {on_cluster} TO {database}.identity_claims_log AS
SELECT
    claim_id, kind, identifiers.type, identifiers.value, arrayMap(hash -> toFixedString(substring(hash, 1, 32), 32), identifiers.hash) AS `identifiers.hash`,
    message_id, source, received_at, actor, reason, target, rules, weight,
    arrayMap((definition, version) -> concat(definition, '@', toString(version)), definitions.definition, definitions.version) AS definitions,
    toUInt32(generation) AS generation, _offset AS kafka_offset
FROM {database}.identity_claims_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.identity_claims_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_claims_queue
WHERE length(_error) > 0;

DROP TABLE IF EXISTS {database}.identity_changes_queue {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_changes_ingest {on_cluster} SYNC;

DROP VIEW IF EXISTS {database}.identity_changes_errors {on_cluster} SYNC;

CREATE TABLE {database}.identity_changes_queue {on_cluster}
(
    kind String, profile_id String, identifier Tuple(type String, value String, hash String), to_profile_id Nullable(String), version Int64,
    other Tuple(type Nullable(String), value Nullable(String), hash Nullable(String)), reason String, claim_ids Array(String), decided_at DateTime64(3, 'UTC'),
    definitions Nested(definition String, version Int32), generation Int32
)
ENGINE = {kafka:identity.changes};

CREATE MATERIALIZED VIEW {database}.identity_changes_ingest {on_cluster} TO {database}.identity_changes_log AS
SELECT
    decided_at, kind, toUUIDOrZero(profile_id) AS profile_id, identifier.type AS identifier_type, identifier.value AS identifier, toFixedString(substring(identifier.hash, 1, 32), 32) AS hash,
    if(to_profile_id IS NULL, NULL, toUUIDOrNull(to_profile_id)) AS to_profile_id, toUInt64(greatest(version, 0)) AS version,
    other.type AS other_type, other.value AS other, reason, claim_ids,
    arrayStringConcat(arrayMap((definition, version) -> concat(definition, '@', toString(version)), definitions.definition, definitions.version), ', ') AS rules,
    toUInt32(generation) AS generation, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset
FROM {database}.identity_changes_queue
WHERE length(_error) = 0;

CREATE MATERIALIZED VIEW {database}.identity_changes_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_changes_queue
WHERE length(_error) > 0;

-- What is withdrawn now. A withdrawal that was taken back has no target any more.
CREATE VIEW {database}.identity_withdrawals {on_cluster} AS
SELECT assumeNotNull(log.target) AS target, log.claim_id AS claim_id, log.actor AS actor, log.reason AS reason, log.received_at AS received_at
FROM {database}.identity_claims_log AS log FINAL
WHERE log.kind = 'withdraw' AND log.target IS NOT NULL;

-- What was claimed of identifiers, and whether it still counts.
CREATE VIEW {database}.identity_claims {on_cluster} AS
SELECT
    claim_id, kind, identifiers.type, identifiers.value, identifiers.hash, source, message_id, received_at, actor, reason, weight, definitions,
    concat('claim:', claim_id) IN (SELECT target FROM {database}.identity_withdrawals)
        OR concat('source:', ifNull(source, '')) IN (SELECT target FROM {database}.identity_withdrawals)
        OR concat('actor:', actor) IN (SELECT target FROM {database}.identity_withdrawals)
        OR arrayExists(beginning -> startsWith(actor, beginning), (SELECT groupArray(substring(target, 7, length(target) - 7)) FROM {database}.identity_withdrawals WHERE startsWith(target, 'actor:') AND endsWith(target, '*')))
        OR hasAny(arrayMap(one -> concat('definition:', one), definitions), (SELECT groupArray(target) FROM {database}.identity_withdrawals WHERE startsWith(target, 'definition:')))
        AS withdrawn
FROM {database}.identity_claims_log FINAL
WHERE kind NOT IN ('withdraw', 'activate_rules');

CREATE OR REPLACE VIEW {database}.identity_edges {on_cluster} AS
SELECT
    claim_id, kind, identifiers.type[1] AS a_type, identifiers.value[1] AS a, identifiers.type[2] AS b_type, identifiers.value[2] AS b,
    source, message_id, received_at, actor, reason, weight, withdrawn
FROM {database}.identity_claims
WHERE length(identifiers.type) = 2;

CREATE OR REPLACE VIEW {database}.identity_changes {on_cluster} AS
SELECT decided_at, kind, profile_id, concat(identifier_type, ':', identifier) AS identifier, to_profile_id, version, if(other IS NULL, NULL, concat(assumeNotNull(other_type), ':', assumeNotNull(other))) AS other, reason, claim_ids, rules
FROM {database}.identity_changes_log FINAL;
