import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { EventCollected, Identifier } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';

interface Row {
  readonly id: string;
  readonly ts: number;
  readonly type: string;
  readonly _p: number;
  readonly userId?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly anonymousId?: string;
  readonly deviceId?: string;
}

/** An event of the sample, and the person who really made it. */
export interface IdentityStreamEvent {
  readonly event: EventCollected;
  readonly person: string;
}

const START = Date.UTC(2026, 0, 1);
/** Obvious garbage that the collector drops at the door; the less obvious stays in. */
const garbage = /^(undefined|null|anonymous|\[object Object\]|[0+\-1]*0+)$/;
const types = [
  ['userId', 'user_id'],
  ['email', 'email'],
  ['phone', 'phone'],
  ['anonymousId', 'anonymous_id'],
  ['deviceId', 'device_id'],
] as const;

/** The synthetic identity stream of `test/data`, as the collector would write it. */
export function identityStream(hashing: Pick<Hashing, 'hash'>): IdentityStreamEvent[] {
  const file = new URL('../data/identity_stream_3k.jsonl.gz', import.meta.url);
  const known = new Map<string, Identifier>();
  const identifier = (type: string, value: string): Identifier => {
    const place = `${type} ${value}`;
    const found = known.get(place) ?? { type, value, hash: hashing.hash(type, value) };
    known.set(place, found);
    return found;
  };
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
  return lines.map((line) => {
    const row = JSON.parse(line) as Row;
    const identifiers = types.flatMap(([field, type]) => {
      const value = row[field];
      return value === undefined || garbage.test(value) ? [] : [identifier(type, value)];
    });
    const at = START + row.ts;
    return {
      person: String(row._p),
      event: {
        message_id: row.id,
        type: row.type === 'page' || row.type === 'identify' ? row.type : 'track',
        event: null,
        source: row.type === 'server' ? 'server' : 'web',
        user_id: row.userId ?? null,
        anonymous_id: row.anonymousId ?? null,
        original_timestamp: at,
        sent_at: null,
        received_at: at,
        timestamp: at,
        flags: [],
        kind: 'person',
        identifiers,
        payload: line,
        ip: null,
        enrichment: '{}',
        consents: [],
        currency: 'USD',
        definitions: [],
        generation: 1,
      },
    };
  });
}
