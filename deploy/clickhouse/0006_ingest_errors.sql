-- What could not be read as the record that its topic promises: kept, so that it is counted and can be looked at.
CREATE MATERIALIZED VIEW {database}.events_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.events_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.identity_mappings_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_mappings_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.identity_claims_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_claims_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.identity_changes_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.identity_changes_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.profiles_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.profiles_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.audience_changes_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.audience_changes_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.deliveries_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.deliveries_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.collected_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.collected_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.rejected_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.rejected_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.accounting_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.accounting_queue
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW {database}.definitions_errors {on_cluster} TO {database}.ingest_errors AS
SELECT _topic AS topic, toUInt32(_partition) AS kafka_partition, _offset AS kafka_offset, _error AS error, _raw_message AS record
FROM {database}.definitions_queue
WHERE length(_error) > 0;
