-- What people wrote, in surveys and to support, kept with its event so that it goes with it. The names are a convention: docs/sql.md.
ALTER TABLE {database}.events_log {on_cluster} ADD COLUMN IF NOT EXISTS text String MATERIALIZED if(
    type = 'track',
    arrayStringConcat(
        arrayMap(
            one -> JSONExtractString(one.2),
            arrayFilter(
                one -> one.1 IN ('subject', 'text', 'body', 'message', 'comment', 'answer', 'feedback') AND startsWith(one.2, '"'),
                JSONExtractKeysAndValuesRaw(payload, 'properties'))),
        '\n'),
    '') CODEC(ZSTD(3));

-- In lower case, so that it is found whatever its case, and found the same where the index is not used.
ALTER TABLE {database}.events_log {on_cluster} ADD INDEX IF NOT EXISTS text_words lowerUTF8(text) TYPE text(tokenizer = 'splitByNonAlpha');

-- For what was there before. Both go on by themselves; until they are done it is found as well, only slower.
ALTER TABLE {database}.events_log {on_cluster} MATERIALIZE COLUMN text;

ALTER TABLE {database}.events_log {on_cluster} MATERIALIZE INDEX text_words;

CREATE VIEW {database}.event_texts {on_cluster} AS
SELECT
    log.message_id AS message_id, log.event AS event, log.source AS source,
    if(mapping.newest > 0, mapping.profile_id, log.profile_id) AS profile_id,
    log.timestamp AS timestamp, log.received_at AS received_at, log.text AS text, lowerUTF8(log.text) AS words
FROM {database}.events_log AS log FINAL
LEFT JOIN (SELECT hash, argMax(identity_mappings.profile_id, version) AS profile_id, max(version) AS newest FROM {database}.identity_mappings GROUP BY hash) AS mapping ON log.routing = mapping.hash
WHERE log.text != '';
