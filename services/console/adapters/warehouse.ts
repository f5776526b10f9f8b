import type { ClickHouseClient } from '@clickhouse/client';
import { memberText } from '#shared/json/members.ts';
import type { Place } from '../core/cursor.ts';
import { exactly } from '../core/exact-json.ts';
import type { Link } from '../core/explain.ts';
import { Problem } from '../core/problem.ts';
import type { Page } from '../core/route.ts';

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

/** A link that would have broken a limit, and so was not made. */
export interface Refusal {
  readonly identifier: string;
  readonly other: string;
  readonly reason: string;
  readonly decided_at: string;
}

/** What only ClickHouse remembers. All values are bound, never spliced. */
export class Warehouse {
  readonly #client: ClickHouseClient;
  readonly #database: string;

  constructor(client: ClickHouseClient, database: string) {
    this.#client = client;
    this.#database = database;
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

  /** Claims that link two identifiers, one of each set. */
  async links(ones: readonly string[], others: readonly string[]): Promise<Link[]> {
    const rows = await this.#rows<{
      claim_id: string;
      kind: string;
      types: [string, string];
      values: [string, string];
      hashes: [string, string];
      source: string | null;
      message_id: string | null;
      received_at: string;
    }>(
      `SELECT claim_id, kind, identifiers.type AS types, identifiers.value AS values, identifiers.hash AS hashes, source, message_id, received_at
       FROM identity_claims_log FINAL
       WHERE length(identifiers.hash) = 2 AND kind IN ('observed', 'alias', 'must_link')
         AND ((identifiers.hash[1] IN {ones:Array(String)} AND identifiers.hash[2] IN {others:Array(String)})
           OR (identifiers.hash[2] IN {ones:Array(String)} AND identifiers.hash[1] IN {others:Array(String)}))
       ORDER BY received_at, claim_id LIMIT 10000`,
      { ones, others },
    );
    return rows.map(({ types, values, hashes, ...row }) => ({
      ...row,
      one: { type: types[0], value: values[0], hash: hashes[0] },
      other: { type: types[1], value: values[1], hash: hashes[1] },
    }));
  }

  /** Links that were refused, as these identifiers were concerned. */
  refusals(hashes: readonly string[]): Promise<Refusal[]> {
    return this.#rows(
      `SELECT concat(identifier_type, ':', identifier) AS identifier, concat(ifNull(other_type, ''), ':', ifNull(other, '')) AS other, reason, decided_at
       FROM identity_changes_log FINAL
       WHERE kind = 'refused' AND hash IN {hashes:Array(String)}
       ORDER BY decided_at DESC, identifier LIMIT 1000`,
      { hashes },
    );
  }

  async #rows<T = Row>(query: string, params: Record<string, unknown>): Promise<T[]> {
    try {
      const result = await this.#client.query({
        query,
        query_params: params,
        format: 'JSONEachRow',
        clickhouse_settings: {
          database: this.#database,
          date_time_output_format: 'iso',
          output_format_json_quote_64bit_integers: 0,
          max_execution_time: 30,
        } as Record<string, string | number>,
      });
      return await result.json<T>();
    } catch (error) {
      const problem = new Problem(503, 'warehouse_unavailable', 'ClickHouse does not answer this now');
      problem.cause = error;
      throw problem;
    }
  }
}

/** Of one row more than the page holds, the page, and its last row if that is not the last of all. */
function pageOf<T>(found: readonly T[], limit: number): { readonly rows: readonly T[]; readonly last: T | undefined } {
  const rows = found.slice(0, limit);
  return { rows, last: found.length > limit ? rows.at(-1) : undefined };
}

/** Year 2200, within what ClickHouse's times can hold. */
const FAR_FUTURE = 7_258_118_400_000;
