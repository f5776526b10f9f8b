-- The ledger: what was sent to whom, under which consent, with what answer.
CREATE TABLE {database}.deliveries_log {on_cluster}
(
    finished_at     DateTime64(3, 'UTC'),
    requested_at    DateTime64(3, 'UTC'),
    idempotency_key String,
    destination     LowCardinality(String),
    action          LowCardinality(String),
    trigger         LowCardinality(String),
    profile_id      UUID,
    message_id      String,
    outcome         LowCardinality(String),
    reason          LowCardinality(Nullable(String)),
    purposes        Array(LowCardinality(String)),
    consents        Nested(purpose LowCardinality(String), state LowCardinality(String), time DateTime64(3, 'UTC'), source LowCardinality(String), policy_version Nullable(String)),
    fields          Array(LowCardinality(String)),
    attempts        UInt32,
    status          Nullable(Int32),
    answer          Nullable(String),
    definitions     Nested(definition LowCardinality(String), version UInt32),
    generation      UInt32
)
ENGINE = {replacing}
PARTITION BY toYYYYMM(requested_at)
ORDER BY (destination, requested_at, idempotency_key);

CREATE TABLE {database}.deliveries_queue {on_cluster}
(
    idempotency_key String, destination String, action String, trigger String, profile_id String, message_id String, outcome String, reason Nullable(String),
    purposes Array(String), consents Nested(purpose String, state String, time DateTime64(3, 'UTC'), source String, policy_version Nullable(String)),
    fields Array(String), attempts Int32, status Nullable(Int32), answer Nullable(String), requested_at DateTime64(3, 'UTC'), finished_at DateTime64(3, 'UTC'),
    definitions Nested(definition String, version Int32), generation Int32
)
ENGINE = {kafka:deliveries};

CREATE MATERIALIZED VIEW {database}.deliveries_ingest {on_cluster} TO {database}.deliveries_log AS
SELECT
    finished_at, requested_at, idempotency_key, destination, action, trigger, toUUIDOrZero(profile_id) AS profile_id, message_id, outcome, reason, purposes,
    consents.purpose, consents.state, consents.time, consents.source, consents.policy_version, fields, toUInt32(greatest(attempts, 0)) AS attempts, status, answer,
    definitions.definition, definitions.version, toUInt32(generation) AS generation
FROM {database}.deliveries_queue
WHERE length(_error) = 0;
