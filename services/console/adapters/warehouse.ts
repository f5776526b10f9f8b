import { exactly } from '#shared/json/exact-json.ts';
import { memberText } from '#shared/json/members.ts';
import type { Place } from '../core/cursor.ts';
import type { Page } from '../core/route.ts';
import type { Query } from './query.ts';

type Row = Readonly<Record<string, unknown>>;
type EventRow = Row & Readonly<Record<'received_at' | 'source' | 'message_id' | 'routing' | 'payload', string>>;
type ChangeRow = Row & { readonly decided_at: string } & Readonly<
    Record<'version' | 'kafka_partition' | 'kafka_offset', number>
  >;

/** A page of rows. */
export interface Found<Place> {
  readonly rows: readonly Row[];
  /** Where it ends; undefined where nothing comes after it. */
  readonly end: Place | undefined;
}

/** What only ClickHouse remembers of a profile. */
export class Warehouse {
  readonly #rows: Query;

  constructor(query: Query) {
    this.#rows = query;
  }

  /** Events that these identifiers routed, newest first. The log is sorted by routing identifier: only their part of it is read. */
  async events(hashes: readonly string[], { limit, before, after }: Page<'events'>): Promise<Found<Place<'events'>>> {
    const [at, source, messageId, routing] = after ?? [FAR_FUTURE, '', '', ''];
    const found = await this.#rows<EventRow>(
      `SELECT message_id, type, event, source, user_id, anonymous_id, timestamp, received_at, payload, routing
       FROM events_log FINAL
       WHERE routing IN {hashes:Array(String)} AND received_at < fromUnixTimestamp64Milli({before:Int64})
         AND received_at <= fromUnixTimestamp64Milli({at:Int64})
         AND (received_at < fromUnixTimestamp64Milli({at:Int64})
           OR (toString(source), message_id, toString(routing)) > ({source:String}, {messageId:String}, {routing:String}))
       ORDER BY received_at DESC, source, message_id, routing LIMIT {limit:UInt32}`,
      { hashes, limit: limit + 1, before: before ?? FAR_FUTURE, at, source, messageId, routing },
    );
    const { rows, last } = pageOf(found, limit);
    return {
      rows: rows.map(({ payload, routing: _, ...row }) => ({
        ...row,
        properties: exactly(memberText(payload, 'properties') ?? '{}'),
        context: exactly(memberText(payload, 'context') ?? '{}'),
      })),
      end: last && [Date.parse(last.received_at), last.source, last.message_id, last.routing],
    };
  }

  /** Versions of a profile, newest first. */
  async versions(profileId: string, { limit, before, after }: Page<'history'>): Promise<Found<number>> {
    const found = await this.#rows<Row & { readonly version: number }>(
      `SELECT version, updated_at, why, changed, causes, events, first_seen, last_seen, gone, into
       FROM profile_history
       WHERE profile_id = {profileId:UUID} AND version < {before:UInt64}
       ORDER BY version DESC LIMIT {limit:UInt32}`,
      {
        profileId,
        limit: limit + 1,
        before: Math.min(before ?? Number.MAX_SAFE_INTEGER, after?.[0] ?? Number.MAX_SAFE_INTEGER),
      },
    );
    const { rows, last } = pageOf(found, limit);
    return { rows, end: last?.version };
  }

  /** What happened to these identifiers, newest first. */
  async identityChanges(
    hashes: readonly string[],
    { limit, after }: Page<'history'>,
  ): Promise<Found<NonNullable<Place<'history'>[1]>>> {
    if (after && after[1] === null) return { rows: [], end: undefined };
    const [at, version, partition, offset] = after?.[1] ?? [FAR_FUTURE, 0, 0, 0];
    const found = await this.#rows<ChangeRow>(
      `SELECT decided_at, kind, concat(identifier_type, ':', identifier) AS identifier, profile_id, to_profile_id, version,
         if(other IS NULL, NULL, concat(assumeNotNull(other_type), ':', assumeNotNull(other))) AS other, reason, kafka_partition, kafka_offset
       FROM identity_changes_log FINAL
       WHERE hash IN {hashes:Array(String)} AND decided_at <= fromUnixTimestamp64Milli({at:Int64})
         AND (decided_at < fromUnixTimestamp64Milli({at:Int64}) OR version < {version:UInt64}
           OR (version = {version:UInt64} AND (kafka_partition, kafka_offset) > ({partition:UInt32}, {offset:UInt64})))
       ORDER BY decided_at DESC, version DESC, kafka_partition, kafka_offset LIMIT {limit:UInt32}`,
      { hashes, limit: limit + 1, at, version, partition, offset },
    );
    const { rows, last } = pageOf(found, limit);
    return {
      rows: rows.map(({ kafka_partition: _, kafka_offset: __, ...row }) => row),
      end: last && [Date.parse(last.decided_at), last.version, last.kafka_partition, last.kafka_offset],
    };
  }
}

/** Of one row more than the page holds, the page, and its last row if that is not the last of all. */
function pageOf<T>(found: readonly T[], limit: number): { readonly rows: readonly T[]; readonly last: T | undefined } {
  const rows = found.slice(0, limit);
  return { rows, last: found.length > limit ? rows.at(-1) : undefined };
}

/** Year 2200, within what ClickHouse's times can hold. */
const FAR_FUTURE = 7_258_118_400_000;
