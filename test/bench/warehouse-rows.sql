-- Visitors of twenty events each, over the first eleven months of a year, as the collector and the stitcher write them.
INSERT INTO events_log (received_at, timestamp, original_timestamp, sent_at, message_id, type, event, source, kind, routing, profile_id, mapping_version, anonymous_id, identifiers.type, identifiers.value, identifiers.hash, payload, properties, enrichment, generation, kafka_partition, kafka_offset)
WITH
    intDiv(number, 20) AS who,
    lower(hex(sipHash128(who))) AS hash,
    multiIf(number % 20 < 10, 'Product Viewed', number % 20 < 14, 'Page Viewed', number % 20 < 17, 'Product Added', number % 20 < 19, 'Checkout Started', 'Order Completed') AS name,
    toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalSecond(cityHash64(who) % 27000000 + (number % 20) * 43200 + cityHash64(number) % 43200) AS at,
    concat('{"sku":"s', toString(cityHash64(number, 1) % 5000), '","price":', toString((cityHash64(number, 3) % 20000) / 100), if(name = 'Order Completed', concat(',"revenue":', toString((cityHash64(number, 4) % 50000) / 100)), ''), '}') AS told
SELECT
    at + toIntervalMillisecond(700), at, at, at, concat('m', hex(sipHash128(number, 7))), 'track', name, ['web', 'app', 'shop', 'till'][1 + cityHash64(who, 5) % 4], 'person',
    hash, toUUID(concat(substring(hash, 1, 8), '-', substring(hash, 9, 4), '-5', substring(hash, 14, 3), '-8', substring(hash, 18, 3), '-', substring(hash, 21, 12))), 0,
    concat('visit-', toString(who)), ['anonymous_id'], [concat('visit-', toString(who))], [hash],
    concat('{"type":"track","event":"', name, '","properties":', told, '}'), told, '{}', 1, who % 8, number
FROM numbers({from:UInt64}, {rows:UInt64})
