import type { ClickHouseClient } from '@clickhouse/client';
import { memberText } from '#shared/json/members.ts';
import { exactly } from '../core/exact-json.ts';
import type { Link } from '../core/explain.ts';
import { Problem } from '../core/problem.ts';
import type { Page } from '../core/route.ts';

type Row = Readonly<Record<string, unknown>>;

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
  async events(hashes: readonly string[], { limit, before }: Page): Promise<Row[]> {
    const rows = await this.#rows<{ payload: string } & Row>(
      `SELECT message_id, type, event, source, user_id, anonymous_id, timestamp, received_at, payload
       FROM events_log FINAL
       WHERE routing IN {hashes:Array(String)} AND received_at < fromUnixTimestamp64Milli({before:Int64})
       ORDER BY received_at DESC, source, message_id LIMIT {limit:UInt32}`,
      { hashes, limit, before: before ?? FAR_FUTURE },
    );
    return rows.map(({ payload, ...row }) => ({
      ...row,
      properties: exactly(memberText(payload, 'properties') ?? '{}'),
      context: exactly(memberText(payload, 'context') ?? '{}'),
    }));
  }

  /** Versions of a profile, newest first. */
  versions(profileId: string, { limit, before }: Page): Promise<Row[]> {
    return this.#rows(
      `SELECT version, updated_at, why, changed, causes, events, first_seen, last_seen, gone, into
       FROM profile_history
       WHERE profile_id = {profileId:UUID} AND version < {before:UInt64}
       ORDER BY version DESC LIMIT {limit:UInt32}`,
      { profileId, limit, before: before ?? Number.MAX_SAFE_INTEGER },
    );
  }

  /** What happened to these identifiers, newest first. */
  identityChanges(hashes: readonly string[], { limit }: Page): Promise<Row[]> {
    return this.#rows(
      `SELECT decided_at, kind, concat(identifier_type, ':', identifier) AS identifier, profile_id, to_profile_id, version,
         if(other IS NULL, NULL, concat(assumeNotNull(other_type), ':', assumeNotNull(other))) AS other, reason
       FROM identity_changes_log FINAL
       WHERE hash IN {hashes:Array(String)}
       ORDER BY decided_at DESC, version DESC, identifier LIMIT {limit:UInt32}`,
      { hashes, limit },
    );
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

/** Year 2200, within what ClickHouse's times can hold. */
const FAR_FUTURE = 7_258_118_400_000;
