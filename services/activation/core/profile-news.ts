import type { Profile } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { profileShape, type Rights } from '#shared/profiles/profile-shape.ts';

type Filter = DefinitionBodies['profile_webhook']['filter'];
/** What decides what a receiver is told: its definition, and what is sensitive. */
export type Interest = Rights & { readonly filter: Filter };

/** A record of the feed, where it stands. */
export interface FeedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** Null: the tombstone. */
  readonly value: Profile | null;
  /** Received time of what caused it, milliseconds. */
  readonly timestamp: number;
}

/** What a receiver is told of one profile. */
export interface News {
  /** The same whenever the same is told again. */
  readonly id: string;
  readonly type: 'profile.changed' | 'profile.gone' | 'profile.erased';
  readonly data: Readonly<Record<string, unknown>>;
}

/** What becomes of the records of one profile that are at hand, in their order. */
export interface Coalesced<R extends FeedRecord> {
  /** Undefined: none of them concerns the receiver. */
  readonly told: { readonly record: R; readonly news: News } | undefined;
  /** Of each of the others. */
  readonly others: ReadonlyMap<R, 'filtered' | 'superseded' | 'noted'>;
}

/** As many message ids as the feed has at most. */
const MOST_CAUSES = 20;
/** Their change concerns everybody: what was held back may go now, what was gone is back. */
const ALWAYS = new Set(['flags', 'gone', 'into']);

/**
 * The newest of a profile's records stands for all of them, since each is whole, if any of them is wanted. A tombstone after a last
 * value says nothing new.
 * @param now milliseconds
 */
export function coalesce<R extends FeedRecord>(records: readonly R[], interest: Interest, now: number): Coalesced<R> {
  const others = new Map<R, 'filtered' | 'superseded' | 'noted'>();
  const spoken: R[] = [];
  for (const record of records) {
    if (record.value === null && spoken.at(-1)?.value?.gone) others.set(record, 'noted');
    else spoken.push(record);
  }
  const newest = spoken.at(-1);
  if (!newest || !spoken.some((record) => isWanted(record, interest.filter, now))) {
    for (const record of spoken) others.set(record, 'filtered');
    return { told: undefined, others };
  }
  for (const record of spoken) if (record !== newest) others.set(record, 'superseded');
  return { told: { record: newest, news: newsOf(newest, spoken, interest) }, others };
}

/** Erasure concerns everybody, whatever they filter; a profile that goes, everybody who is told of its kind. */
function isWanted({ value, timestamp }: FeedRecord, { kinds, changed, why }: Filter, now: number): boolean {
  if (value === null) return true;
  if (kinds && !kinds.some((kind) => kind === value.kind)) return false;
  if (value.changed.some((field) => ALWAYS.has(field))) return true;
  // Those before it may have been compacted away, and with them what they say has changed.
  if (now - timestamp > topics.profiles.retention) return true;
  if (why && !why.some((reason) => value.why.includes(reason))) return false;
  return !changed || changed.some((field) => value.changed.some((one) => isWithin(one, field) || isWithin(field, one)));
}

/** Whether a path is another, or leads on from it. */
const isWithin = (path: string, other: string): boolean => path === other || path.startsWith(`${other}.`);

function newsOf({ partition, offset, key, value }: FeedRecord, records: readonly FeedRecord[], rights: Rights): News {
  if (value === null)
    return { id: `${key}.erased.${partition}-${offset}`, type: 'profile.erased', data: { profile_id: key } };
  const id = `${key}.${value.version}`;
  const { profile_id, version, into } = value;
  if (value.gone) return { id, type: 'profile.gone', data: { profile_id, version, into } };
  const all = (field: 'changed' | 'why' | 'causes'): string[] =>
    [...new Set(records.flatMap((record) => record.value?.[field] ?? []))].sort();
  const causes = all('causes').slice(0, MOST_CAUSES);
  return {
    id,
    type: 'profile.changed',
    data: { ...profileShape(value, rights), changed: all('changed'), why: all('why'), causes },
  };
}
