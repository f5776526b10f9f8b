import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { EventCollected, Identifier } from '#schemas/generated/records.ts';
import { type DefinitionBodies, definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { remembering } from '#shared/identity/remembering.ts';
import { decide } from '../../services/collector/core/event.ts';
import type { Item } from './identity-quality.ts';

/** A row of the stream: what somebody did somewhere, and who it really was. */
export interface Row {
  readonly id: string;
  /** Milliseconds from the start. */
  readonly ts: number;
  /** `page`, `track`, `identify`; `lead`: an address left in a form; `server`: what the shop's own system says of a customer. */
  readonly type: string;
  /** The true person: never an input. */
  readonly _p: number;
  readonly userId?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly anonymousId?: string | undefined;
  readonly deviceId?: string | undefined;
}

/** An event of a stream as the collector writes it, and the person who really made it. */
export interface IdentityStreamEvent {
  readonly event: EventCollected;
  readonly person: string;
}

const START = Date.UTC(2026, 0, 1);
const settings = definitionKinds.source.parse({ writeKeys: [{ key: 'stream' }] });
const knowledge = { agentOf: () => undefined, locationOf: () => undefined } as never;

/** The rows of the synthetic stream of `test/data`. */
export function identityRows(): Row[] {
  const file = new URL('../data/identity_stream_3k.jsonl.gz', import.meta.url);
  return gunzipSync(readFileSync(file))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

/** What an SDK would send: forms and the shop's system identify; elsewhere traits are of the context. */
export function asSent({ id, ts, type, userId, anonymousId, deviceId, email, phone }: Row) {
  const traits = { email, phone };
  const hasTraits = email !== undefined || phone !== undefined;
  const call = type === 'page' || type === 'track' ? type : 'identify';
  return {
    type: call,
    messageId: id,
    timestamp: new Date(START + ts).toISOString(),
    ...(call === 'track' && { event: 'Product Viewed' }),
    userId,
    anonymousId,
    ...(call === 'identify' && { traits }),
    context: {
      ...(deviceId !== undefined && { device: { id: deviceId } }),
      ...(call !== 'identify' && hasTraits && { traits }),
    },
  };
}

/** The source that sends a row. */
export const sourceOf = ({ type }: Row): string => (type === 'server' ? 'server' : 'web');

/**
 * Rows through the collector's own decision, received when they happened; rows without a usable identifier, which it rejects,
 * are left out.
 */
export function collected(
  rows: readonly Row[],
  hashing: Hashing,
  rules: DefinitionBodies['identity_rules'] = defaultIdentityRules,
): IdentityStreamEvent[] {
  const envelope = {
    settings,
    rules,
    definitions: [],
    sentAt: undefined,
    batchLevel: [],
    batchContext: undefined,
    ip: null,
    client: undefined,
    knowledge,
    gpc: false,
    generation: 1,
    hashing: remembering(hashing),
    newId: () => {
      throw new Error('every row has an id');
    },
  };
  return rows.flatMap((row) => {
    const text = JSON.stringify(asSent(row));
    const decision = decide(text, JSON.parse(text), undefined, {
      ...envelope,
      source: sourceOf(row),
      receivedAt: START + row.ts,
    });
    if (decision.outcome === 'accepted') return [{ event: decision.value, person: String(row._p) }];
    if (decision.outcome === 'rejected' && decision.reason === 'no_identifier') return [];
    throw new Error(`row ${row.id}: ${JSON.stringify(decision)}`);
  });
}

/** The stream of `test/data`, as the collector would write it. */
export const identityStream = (hashing: Hashing): IdentityStreamEvent[] => collected(identityRows(), hashing);

/** Events as items to judge, by their routing identifiers. */
export const eventItems = (events: readonly IdentityStreamEvent[], profileOf: (hash: string) => string): Item[] =>
  events.map(({ event, person }) => ({ cluster: profileOf(routingOf(event).hash), truth: person }));

/**
 * Identifiers as items to judge. `own`: those that one person alone has; a kiosk's cookie has no true person. `all`: as well, as
 * whose they are taken that have most events with them.
 */
export const identifierItems = (
  events: readonly IdentityStreamEvent[],
  profileOf: (hash: string) => string,
  which: 'own' | 'all',
): Item[] =>
  [...personsOf(events)].flatMap(([hash, persons]) =>
    which === 'own' && persons.size > 1 ? [] : [{ cluster: profileOf(hash), truth: most(persons) }],
  );

/** How many events each person has with each identifier. */
export function personsOf(events: readonly IdentityStreamEvent[]): Map<string, Map<string, number>> {
  const counts = new Map<string, Map<string, number>>();
  for (const { event, person } of events) {
    for (const { hash } of event.identifiers) {
      const of = counts.get(hash) ?? new Map<string, number>();
      counts.set(hash, of.set(person, (of.get(person) ?? 0) + 1));
    }
  }
  return counts;
}

/** Who has most; of several the first. */
export const most = (of: ReadonlyMap<string, number>): string =>
  [...of].reduce((best, one) => (one[1] > best[1] ? one : best))[0];

export const routingOf = ({ identifiers }: EventCollected): Identifier => identifiers[0] as Identifier;
