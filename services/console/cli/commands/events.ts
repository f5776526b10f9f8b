import type { Connections } from '../connections.ts';
import { type Output, table } from '../output.ts';
import { Trouble } from '../trouble.ts';

export async function rejected(connections: Connections): Promise<Output> {
  const { limit } = connections.settings;
  const counts = await connections.rows<{ stage: string; reason: string; count: number }>(
    'SELECT stage, reason, toUInt32(count()) AS count FROM rejected_events GROUP BY stage, reason ORDER BY count DESC, stage, reason',
  );
  const latest = await connections.rows<Record<string, string | null>>(
    `SELECT toString(received_at) AS received_at, stage, reason, source, message_id, message, violations
     FROM rejected_events ORDER BY rejected_events.received_at DESC LIMIT {limit:UInt32}`,
    { limit },
  );
  const text = [
    table(
      ['stage', 'reason', 'count'],
      counts.map(({ stage, reason, count }) => [stage, reason, count]),
    ),
    table(
      ['received', 'stage', 'reason', 'source', 'message id', 'message'],
      latest.map((row) => [row.received_at, row.stage, row.reason, row.source, row.message_id, row.message]),
    ),
  ];
  return { json: { counts, latest }, text: text.filter(Boolean).join('\n\n') || 'nothing was rejected' };
}

export async function deliveries(connections: Connections): Promise<Output> {
  const { limit } = connections.settings;
  const counts = await connections.rows<{ destination: string; outcome: string; reason: string | null; count: number }>(
    'SELECT destination, outcome, reason, toUInt32(count()) AS count FROM deliveries GROUP BY destination, outcome, reason ORDER BY destination, outcome, reason',
  );
  const latest = await connections.rows<Record<string, string | number | null>>(
    `SELECT toString(finished_at) AS finished_at, destination, action, outcome, reason, attempts, status, message_id, toString(profile_id) AS profile_id
     FROM deliveries ORDER BY deliveries.finished_at DESC LIMIT {limit:UInt32}`,
    { limit },
  );
  const text = [
    table(
      ['destination', 'outcome', 'reason', 'count'],
      counts.map(({ destination, outcome, reason, count }) => [destination, outcome, reason, count]),
    ),
    table(
      ['finished', 'destination', 'outcome', 'reason', 'attempts', 'status', 'message id'],
      latest.map((row) => [
        row.finished_at,
        row.destination,
        row.outcome,
        row.reason,
        row.attempts,
        row.status,
        row.message_id,
      ]),
    ),
  ];
  return { json: { counts, latest }, text: text.filter(Boolean).join('\n\n') || 'nothing was delivered yet' };
}

/** What became of one event: where it was received, stitched, folded, rejected and delivered. */
export async function event(connections: Connections, [id]: readonly string[]): Promise<Output> {
  if (!id) throw new Trouble('which event?', 'tributary event MESSAGE_ID', 2);
  const ask = (query: string) => connections.rows<Record<string, string | number | null>>(query, { id });
  const collected = await ask(
    `SELECT toString(received_at) AS received_at, source, kafka_partition AS partition, toString(kafka_offset) AS offset
     FROM collected FINAL WHERE message_id = {id:String} ORDER BY collected.received_at`,
  );
  const events = await ask(
    `SELECT toString(received_at) AS received_at, type, event, source, toString(profile_id) AS profile_id, toString(stitched_profile_id) AS stitched_profile_id, payload
     FROM events WHERE message_id = {id:String} ORDER BY events.received_at`,
  );
  const versions = await ask(
    `SELECT toString(profile_id) AS profile_id, toString(version) AS version, toString(updated_at) AS updated_at, why, changed
     FROM profile_history WHERE has(causes, {id:String}) ORDER BY profile_history.updated_at, profile_history.version`,
  );
  const rejections = await ask(
    `SELECT toString(received_at) AS received_at, stage, reason, message, violations FROM rejected_events WHERE message_id = {id:String} ORDER BY rejected_events.received_at`,
  );
  const delivered = await ask(
    `SELECT toString(finished_at) AS finished_at, destination, outcome, reason, attempts, status FROM deliveries WHERE message_id = {id:String} ORDER BY deliveries.finished_at`,
  );
  const json = { collected, events, versions, rejections, deliveries: delivered };
  if (Object.values(json).every((rows) => rows.length === 0))
    throw new Trouble(`ClickHouse knows no event ${JSON.stringify(id)}`, 'it may be on its way: `tributary status`');
  const text = [
    ...collected.map(
      (row) => `${row.received_at}  accepted from ${row.source}, partition ${row.partition}, offset ${row.offset}`,
    ),
    ...events.map(
      (row) =>
        `${row.received_at}  stitched: ${row.type}${row.event ? ` ${row.event}` : ''}, profile ${row.profile_id}`,
    ),
    ...(collected.length > events.length + rejections.length && events.length > 0
      ? [`${collected.length - events.length} more with this id were duplicates, or are on their way`]
      : []),
    ...versions.map((row) => `${row.updated_at}  folded: profile ${row.profile_id}, version ${row.version}`),
    ...rejections.map((row) => `${row.received_at}  rejected by ${row.stage}: ${row.reason} (${row.message})`),
    ...delivered.map(
      (row) =>
        `${row.finished_at}  ${row.destination}: ${row.outcome}${row.reason ? `, ${row.reason}` : ''}, ${row.attempts} attempts`,
    ),
  ];
  return { json, text: text.join('\n') };
}
