import type { Touch } from '#schemas/generated/records.ts';
import { exactly } from '#shared/json/exact-json.ts';
import { memberText } from '#shared/json/members.ts';
import type { Told } from '#shared/profiles/profile-shape.ts';
import type { Place } from '../core/cursor.ts';
import type { Page } from '../core/question.ts';
import { LATEST_TIME } from '../core/times.ts';
import { type Query, SEEN } from './query.ts';

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

  /** @param edition what bears a higher one is not seen; null: than the one that ClickHouse's own views show */
  constructor(query: Query, edition: number | null = null) {
    this.#rows = (sql, params) => query(sql, { edition, ...params });
  }

  /** Events that these identifiers routed, newest first. The log is sorted by routing identifier: only their part of it is read. */
  async events(hashes: readonly string[], { limit, before, after }: Page<'events'>): Promise<Found<Place<'events'>>> {
    const [at, source, messageId, routing] = after ?? [LATEST_TIME, '', '', ''];
    const found = await this.#rows<EventRow>(
      `SELECT message_id, type, event, source, user_id, anonymous_id, timestamp, received_at, payload, routing
       FROM events_log FINAL
       WHERE routing IN {hashes:Array(String)} AND received_at < fromUnixTimestamp64Milli({before:Int64})
         AND received_at <= fromUnixTimestamp64Milli({at:Int64})
         AND (received_at < fromUnixTimestamp64Milli({at:Int64})
           OR (toString(source), message_id, toString(routing)) > ({source:String}, {messageId:String}, {routing:String}))
       ORDER BY received_at DESC, source, message_id, routing LIMIT {limit:UInt32}`,
      { hashes, limit: limit + 1, before: before ?? LATEST_TIME, at, source, messageId, routing },
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
       FROM profile_versions FINAL
       WHERE profile_id = {profileId:UUID} AND ${SEEN} AND version < {before:UInt64}
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

  /** These profiles as they were known then: of each the newest version, and where those have gone that were no more. */
  async profilesAt(
    profileIds: readonly string[],
    at: number,
  ): Promise<{ readonly living: readonly Told[]; readonly successors: readonly string[] }> {
    const rows = await this.#rows<VersionRow>(
      `SELECT ${PROFILE_COLUMNS}
       FROM profile_versions
       WHERE profile_id IN {profileIds:Array(UUID)} AND updated_at <= fromUnixTimestamp64Milli({at:Int64}) AND ${SEEN}
       ORDER BY profile_id, version DESC LIMIT 1 BY profile_id`,
      { profileIds, at },
    );
    return {
      living: rows.filter(({ gone }) => !gone).map(profileIn),
      successors: rows.flatMap(({ gone, successor }) => (gone && successor !== null ? [successor] : [])),
    };
  }

  /**
   * Profiles after one id, in the order of ids that ClickHouse has: as they are, or of each the newest version that was updated until
   * then. Those that are gone are left out, so that a page may be shorter.
   */
  async profilesAfter(
    after: string | undefined,
    limit: number,
    at?: number,
  ): Promise<{ readonly profiles: readonly Told[]; readonly end: string | undefined }> {
    const from = at === undefined ? 'profiles_latest FINAL' : 'profile_versions';
    const rows = await this.#rows<VersionRow>(
      `SELECT ${PROFILE_COLUMNS}
       FROM ${from}
       WHERE ${after === undefined ? '1' : 'profile_id > {after:UUID}'}
         ${at === undefined ? '' : 'AND updated_at <= fromUnixTimestamp64Milli({at:Int64})'}
       ORDER BY profile_id, version DESC LIMIT 1 BY profile_id LIMIT {limit:UInt32}`,
      { after, limit, at },
    );
    return {
      profiles: rows.filter(({ gone }) => !gone).map(profileIn),
      end: rows.length < limit ? undefined : rows.at(-1)?.id,
    };
  }

  /** The newest versions of these profiles; `told` is null of one that is gone, and those that are not known have no entry. */
  async profilesNow(
    profileIds: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly version: number; readonly told: Told | null }>> {
    const rows = await this.#rows<VersionRow>(
      `SELECT ${PROFILE_COLUMNS} FROM profiles_latest FINAL WHERE profile_id IN {profileIds:Array(UUID)}`,
      { profileIds },
    );
    return new Map(rows.map((row) => [row.id, { version: row.version, told: row.gone ? null : profileIn(row) }]));
  }

  /** What happened to these identifiers, newest first. */
  async identityChanges(
    hashes: readonly string[],
    { limit, after }: Page<'history'>,
  ): Promise<Found<NonNullable<Place<'history'>[1]>>> {
    if (after && after[1] === null) return { rows: [], end: undefined };
    const [at, version, partition, offset] = after?.[1] ?? [LATEST_TIME, 0, 0, 0];
    const found = await this.#rows<ChangeRow>(
      `SELECT decided_at, kind, concat(identifier_type, ':', identifier) AS identifier, profile_id, to_profile_id, version,
         if(other IS NULL, NULL, concat(assumeNotNull(other_type), ':', assumeNotNull(other))) AS other, reason, kafka_partition, kafka_offset
       FROM identity_changes_log FINAL
       WHERE hash IN {hashes:Array(String)} AND ${SEEN} AND decided_at <= fromUnixTimestamp64Milli({at:Int64})
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

const PROFILE_COLUMNS = `toString(profile_id) AS id, version, kind, gone, toString(into) AS successor, events, sources, flags, first_seen, last_seen, updated_at,
  identifiers.type, identifiers.value, identifiers.hash, traits.name, traits.value, traits.timestamp, traits.message_id, traits.source, traits.sensitivity,
  computed.name, computed.value, computed.definition_version, audiences.audience, audiences.episode, audiences.since, audiences.definition_version,
  consents.purpose, consents.state, consents.time, consents.source, consents.policy_version,
  event_counts.event, event_counts.count, revenue.currency, arrayMap(amount -> toString(amount), revenue.amount) AS amounts,
  trait_origins.path, trait_origins.timestamp, trait_origins.message_id, trait_origins.source, order_count,
  products.product, products.currency, products.name, arrayMap(quantity -> toString(quantity), products.quantity) AS quantities, arrayMap(amount -> toString(amount), products.revenue) AS product_amounts,
  first_touch, last_touch, session_count, session_ms, first_session_at, last_session_at, last_session_until, last_session_events,
  groups.group, groups.traits, groups.timestamp, groups.source,
  interactions.id, interactions.state, interactions.channel, interactions.direction, interactions.agent, interactions.timestamp, interactions.source`;

/** A row of `profile_versions`: what is nested comes as one list for each field. */
type VersionRow = Readonly<
  Record<'id' | 'kind' | 'updated_at', string> &
    Record<'version' | 'events' | 'order_count' | 'session_count' | 'session_ms' | 'last_session_events', number> &
    Record<'first_seen' | 'last_seen' | `${'first' | 'last'}_session_at` | 'last_session_until', string | null> &
    Record<`identifiers.${'type' | 'value' | 'hash'}`, readonly string[]> &
    Record<`traits.${'name' | 'value' | 'timestamp' | 'message_id' | 'source' | 'sensitivity'}`, readonly string[]> &
    Record<'computed.name' | 'computed.value' | 'audiences.audience' | 'audiences.since', readonly string[]> &
    Record<'computed.definition_version' | 'audiences.episode' | 'audiences.definition_version', readonly number[]> &
    Record<`consents.${'purpose' | 'state' | 'time' | 'source'}`, readonly string[]> &
    Record<'event_counts.event' | 'revenue.currency' | 'amounts' | 'sources' | 'flags', readonly string[]> &
    Record<`trait_origins.${'path' | 'timestamp' | 'message_id' | 'source'}`, readonly string[]> &
    Record<`products.${'product' | 'currency' | 'name'}` | 'quantities' | 'product_amounts', readonly string[]> &
    Record<'first_touch' | 'last_touch', TouchRow> &
    Record<`groups.${'group' | 'traits' | 'timestamp' | 'source'}`, readonly string[]> &
    Record<`interactions.${'id' | 'state' | 'timestamp' | 'source'}`, readonly string[]> &
    Record<`interactions.${'channel' | 'direction' | 'agent'}`, readonly (string | null)[]>
> & {
  readonly gone: boolean;
  readonly successor: string | null;
  readonly 'consents.policy_version': readonly (string | null)[];
  readonly 'event_counts.count': readonly number[];
};

/** What none is has nothing in it. */
type TouchRow = { readonly [K in keyof Touch]: Touch[K] extends number ? string | null : Touch[K] | null };

const millis = (iso: string): number => Date.parse(iso);
const millisOrNull = (iso: string | null): number | null => (iso === null ? null : millis(iso));

const touchIn = ({ timestamp, message_id, source, ...rest }: TouchRow): Touch | null =>
  timestamp === null || message_id === null || source === null
    ? null
    : { timestamp: millis(timestamp), message_id, source, ...rest };

function profileIn(row: VersionRow): Told {
  // All lists of one nest are of one length.
  const at = <T>(list: readonly T[], i: number): T => list[i] as T;
  return {
    profile_id: row.id,
    kind: row.kind,
    version: row.version,
    identifiers: row['identifiers.type'].map((type, i) => ({
      type,
      value: at(row['identifiers.value'], i),
      hash: at(row['identifiers.hash'], i),
    })),
    traits: row['traits.name'].map((name, i) => ({
      name,
      value: at(row['traits.value'], i),
      timestamp: millis(at(row['traits.timestamp'], i)),
      message_id: at(row['traits.message_id'], i),
      source: at(row['traits.source'], i),
      sensitivity: at(row['traits.sensitivity'], i),
    })),
    trait_origins: row['trait_origins.path'].map((path, i) => ({
      path,
      timestamp: millis(at(row['trait_origins.timestamp'], i)),
      message_id: at(row['trait_origins.message_id'], i),
      source: at(row['trait_origins.source'], i),
    })),
    computed: row['computed.name'].map((name, i) => ({
      name,
      value: at(row['computed.value'], i),
      definition_version: at(row['computed.definition_version'], i),
    })),
    audiences: row['audiences.audience'].map((audience, i) => ({
      audience,
      episode: at(row['audiences.episode'], i),
      since: millis(at(row['audiences.since'], i)),
      definition_version: at(row['audiences.definition_version'], i),
    })),
    consents: row['consents.purpose'].map((purpose, i) => ({
      purpose,
      state: at(row['consents.state'], i),
      time: millis(at(row['consents.time'], i)),
      source: at(row['consents.source'], i),
      policy_version: at(row['consents.policy_version'], i),
    })),
    events: row.events,
    event_counts: row['event_counts.event'].map((event, i) => ({ event, count: at(row['event_counts.count'], i) })),
    revenue: row['revenue.currency'].map((currency, i) => ({ currency, amount: at(row.amounts, i) })),
    order_count: row.order_count,
    products: row['products.product'].map((product, i) => ({
      product,
      currency: at(row['products.currency'], i),
      name: at(row['products.name'], i),
      quantity: at(row.quantities, i),
      revenue: at(row.product_amounts, i),
    })),
    first_touch: touchIn(row.first_touch),
    last_touch: touchIn(row.last_touch),
    session_count: row.session_count,
    session_ms: row.session_ms,
    first_session_at: millisOrNull(row.first_session_at),
    last_session_at: millisOrNull(row.last_session_at),
    last_session_until: millisOrNull(row.last_session_until),
    last_session_events: row.last_session_events,
    groups: row['groups.group'].map((group, i) => ({
      group,
      traits: at(row['groups.traits'], i),
      timestamp: millis(at(row['groups.timestamp'], i)),
      source: at(row['groups.source'], i),
    })),
    interactions: row['interactions.id'].map((id, i) => ({
      id,
      state: at(row['interactions.state'], i),
      channel: at(row['interactions.channel'], i),
      direction: at(row['interactions.direction'], i),
      agent: at(row['interactions.agent'], i),
      timestamp: millis(at(row['interactions.timestamp'], i)),
      source: at(row['interactions.source'], i),
    })),
    sources: row.sources,
    first_seen: millisOrNull(row.first_seen),
    last_seen: millisOrNull(row.last_seen),
    flags: row.flags,
    updated_at: millis(row.updated_at),
  };
}

/** Of one row more than the page holds, the page, and its last row if that is not the last of all. */
function pageOf<T>(found: readonly T[], limit: number): { readonly rows: readonly T[]; readonly last: T | undefined } {
  const rows = found.slice(0, limit);
  return { rows, last: found.length > limit ? rows.at(-1) : undefined };
}
