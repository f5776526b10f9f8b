import type { Link } from '../core/explain.ts';
import { LATEST_TIME } from '../core/times.ts';
import { type Query, SEEN } from './query.ts';

/** An identifier and the profile that it belonged to at some time. */
export interface Assigned {
  readonly hash: string;
  readonly type: string;
  readonly value: string;
  readonly profile: string;
  /** Of the mapping; 0 in its default profile. */
  readonly version: number;
  /** When that was decided, ISO 8601; when it was first seen, in its default profile. */
  readonly since: string;
  readonly first_seen: string;
  readonly reason: string;
  /** Version of the identity rules that decided it; empty for those built in, null where it is not known. */
  readonly rules: string | null;
}

/** A link that was refused, as one of its ends is told. */
export interface Refusal {
  readonly hash: string;
  readonly other_type: string;
  readonly other: string;
  readonly reason: string;
}

/** So many links are looked at in one go. */
export const MOST_LINKS = 20_000;

const ASSIGNED = `
  SELECT toString(log.hash) AS hash, any(log.identifier_type) AS type, any(log.identifier) AS value,
    argMax(if(log.kind = 'moved', assumeNotNull(log.to_profile_id), log.profile_id), log.version) AS profile,
    max(log.version) AS version, argMax(log.decided_at, log.version) AS since, minIf(log.decided_at, log.kind = 'discovered') AS first_seen,
    argMax(log.reason, log.version) AS reason, argMax(tuple(log.rules), log.version).1 AS rules
  FROM (SELECT * FROM identity_changes_log FINAL WHERE ${SEEN}) AS log
  WHERE log.kind IN ('discovered', 'moved') AND (log.kind = 'discovered' OR log.decided_at <= fromUnixTimestamp64Milli({at:Int64}))`;

/** What ClickHouse knows of claims, and of what was decided by them. */
export class IdentityWarehouse {
  readonly #rows: Query;

  /** @param edition what bears a higher one is not seen; null: than the one that ClickHouse's own views show */
  constructor(query: Query, edition: number | null = null) {
    this.#rows = (sql, params) => query(sql, { edition, ...params });
  }

  /** @param at as it was then, milliseconds; an identifier that was not known is in its default profile */
  assigned(hashes: readonly string[], at = LATEST_TIME): Promise<Assigned[]> {
    return this.#rows(
      `${ASSIGNED} AND log.hash IN {hashes:Array(String)} GROUP BY log.hash ORDER BY first_seen, hash`,
      {
        hashes,
        at,
      },
    );
  }

  /** All identifiers of these profiles. */
  members(profiles: readonly string[], at = LATEST_TIME): Promise<Assigned[]> {
    return this.#rows(
      `${ASSIGNED} AND log.hash IN (
         SELECT hash FROM identity_changes_log
         WHERE ${SEEN} AND ((kind = 'discovered' AND profile_id IN {profiles:Array(UUID)}) OR (kind = 'moved' AND to_profile_id IN {profiles:Array(UUID)})))
       GROUP BY log.hash HAVING profile IN {profiles:Array(UUID)} AND first_seen <= fromUnixTimestamp64Milli({at:Int64})
       ORDER BY first_seen, hash`,
      { profiles, at },
    );
  }

  /** The identifier whose default profile this is. */
  async anchor(profile: string): Promise<string | undefined> {
    const [row] = await this.#rows<{ hash: string }>(
      `SELECT toString(hash) AS hash FROM identity_changes_log WHERE kind = 'discovered' AND profile_id = {profile:UUID} LIMIT 1`,
      { profile },
    );
    return row?.hash;
  }

  /** Profiles that these identifiers ever belonged to, with the last time that they came to each. */
  profiles(hashes: readonly string[]): Promise<{ profile: string; last: string }[]> {
    return this.#rows(
      `SELECT if(kind = 'moved', assumeNotNull(to_profile_id), profile_id) AS profile, max(decided_at) AS last
       FROM identity_changes_log WHERE hash IN {hashes:Array(String)} AND ${SEEN} AND kind IN ('discovered', 'moved')
       GROUP BY profile ORDER BY last DESC, profile`,
      { hashes },
    );
  }

  /** Claims that count and link, or keep apart, one of these and any other. At most `MOST_LINKS`, the earliest. */
  async links(hashes: readonly string[]): Promise<Link[]> {
    const rows = await this.#rows<
      Omit<Link, 'one' | 'other'> & {
        readonly types: [string, string];
        readonly values: [string, string];
        readonly hashes: [string, string];
      }
    >(
      `SELECT claim_id, kind, identifiers.type AS types, identifiers.value AS values, arrayMap(one -> toString(one), identifiers.hash) AS hashes,
         source, message_id, received_at, actor, reason
       FROM identity_claims
       WHERE length(identifiers.hash) = 2 AND NOT withdrawn
         AND (identifiers.hash[1] IN {wanted:Array(String)} OR identifiers.hash[2] IN {wanted:Array(String)})
       ORDER BY received_at, claim_id LIMIT {most:UInt32}`,
      { wanted: hashes, most: MOST_LINKS },
    );
    return rows.map(({ types, values, hashes: ends, ...row }) => ({
      ...row,
      one: { type: types[0], value: values[0], hash: ends[0] },
      other: { type: types[1], value: values[1], hash: ends[1] },
    }));
  }

  /** The newest refusal of each link that is told at one of these. */
  refusals(hashes: readonly string[]): Promise<Refusal[]> {
    return this.#rows(
      `SELECT toString(log.hash) AS hash, assumeNotNull(log.other_type) AS other_type, assumeNotNull(log.other) AS other,
         argMax(log.reason, (log.decided_at, log.version)) AS reason
       FROM (SELECT * FROM identity_changes_log FINAL WHERE ${SEEN}) AS log
       WHERE log.kind = 'refused' AND log.hash IN {hashes:Array(String)} AND log.other IS NOT NULL
       GROUP BY log.hash, log.other_type, log.other`,
      { hashes },
    );
  }

  /** Those of these that somebody has blocked. */
  async blocked(hashes: readonly string[]): Promise<Set<string>> {
    const rows = await this.#rows<{ hash: string }>(
      `SELECT DISTINCT toString(identifiers.hash[1]) AS hash FROM identity_claims
       WHERE kind = 'block' AND NOT withdrawn AND identifiers.hash[1] IN {hashes:Array(String)}`,
      { hashes },
    );
    return new Set(rows.map(({ hash }) => hash));
  }

  async health() {
    const [sizes, shared, blocked, refusals, quarantine, [linker], [events]] = await Promise.all([
      this.#rows<{ identifiers: number; profiles: number }>(
        `SELECT size AS identifiers, toUInt32(count()) AS profiles
         FROM (
           SELECT profile, count() AS size
           FROM (SELECT hash, argMax(if(kind = 'moved', assumeNotNull(to_profile_id), profile_id), version) AS profile FROM identity_changes_log WHERE ${SEEN} AND kind IN ('discovered', 'moved') GROUP BY hash)
           GROUP BY profile)
         GROUP BY size ORDER BY size`,
      ),
      this.#rows<{ identifier: string; neighbours: number; user_ids: number }>(
        `SELECT concat(end.1, ':', end.2) AS identifier, toUInt32(uniqExact(far.3)) AS neighbours, toUInt32(uniqExactIf(far.3, far.1 = 'user_id')) AS user_ids
         FROM (
           SELECT arrayZip(identifiers.type, identifiers.value, identifiers.hash) AS ends FROM identity_claims
           WHERE length(identifiers.hash) = 2 AND kind IN ('observed', 'alias', 'must_link') AND NOT withdrawn)
         ARRAY JOIN ends AS end, arrayReverse(ends) AS far
         GROUP BY identifier HAVING neighbours > 1 ORDER BY user_ids DESC, neighbours DESC, identifier LIMIT 10`,
      ),
      this.#rows<{ identifier: string; actor: string; reason: string | null; received_at: string }>(
        `SELECT concat(identifiers.type[1], ':', identifiers.value[1]) AS identifier, actor, reason, received_at
         FROM identity_claims WHERE kind = 'block' AND NOT withdrawn ORDER BY identity_claims.received_at DESC LIMIT 20`,
      ),
      this.#rows<{ reason: string; count: number }>(
        `SELECT reason, toUInt32(count()) AS count FROM identity_changes WHERE kind = 'refused' GROUP BY reason ORDER BY count DESC, reason`,
      ),
      this.#rows<{ profile_id: string; reason: string; since: string }>(
        `SELECT profile_id, newest.3 AS reason, newest.1 AS since
         FROM (SELECT profile_id, max(tuple(decided_at, version, reason, kind)) AS newest FROM identity_changes WHERE kind IN ('quarantined', 'released') GROUP BY profile_id)
         WHERE newest.4 = 'quarantined' ORDER BY since, profile_id`,
      ),
      this.#rows<{ lag: number }>(
        `SELECT toUInt32(greatest(0, (SELECT ifNull(max(kafka_offset) + 1, 0) FROM identity_claims_log) - (SELECT toInt64(max(next)) FROM accounting WHERE task = 'linker' AND generation = (SELECT min(generation) FROM accounting)))) AS lag`,
      ),
      this.#rows<{ events: number; moved: number }>(
        'SELECT count() AS events, countIf(profile_id != stitched_profile_id) AS moved FROM events',
      ),
    ]);
    return {
      sizes,
      shared,
      blocked,
      refusals,
      quarantine,
      lag: linker?.lag ?? 0,
      events: events?.events ?? 0,
      moved: events?.moved ?? 0,
    };
  }

  /** How many events these identifiers routed. */
  async eventsOf(hashes: readonly string[]): Promise<number> {
    const [row] = await this.#rows<{ events: number }>(
      'SELECT count() AS events FROM events_log FINAL WHERE routing IN {hashes:Array(String)}',
      { hashes },
    );
    return row?.events ?? 0;
  }

  /** How many rows each table holds of these identifiers and profiles. Those of the last seven days, too, where topics keep so much. */
  async rowsOf(hashes: readonly string[], profiles: readonly string[]) {
    const [counts] = await this.#rows<Readonly<Record<Table | 'events_week' | 'moved_month', number>>>(
      `SELECT
         (SELECT count() FROM events_log FINAL WHERE routing IN {hashes:Array(String)}) AS events_log,
         (SELECT count() FROM events_log FINAL WHERE routing IN {hashes:Array(String)} AND received_at > now() - INTERVAL 7 DAY) AS events_week,
         (SELECT count() FROM collected FINAL WHERE message_id IN (SELECT message_id FROM events_log WHERE routing IN {hashes:Array(String)})) AS collected,
         (SELECT count() FROM identity_mappings FINAL WHERE hash IN {hashes:Array(String)}) AS identity_mappings,
         (SELECT count() FROM identity_claims_log FINAL WHERE identifiers.hash[1] IN {hashes:Array(String)} OR identifiers.hash[2] IN {hashes:Array(String)}) AS identity_claims_log,
         (SELECT count() FROM identity_changes_log FINAL WHERE hash IN {hashes:Array(String)} OR profile_id IN {profiles:Array(UUID)}) AS identity_changes_log,
         (SELECT count() FROM identity_changes_log FINAL WHERE hash IN {hashes:Array(String)} AND kind = 'moved' AND decided_at > now() - INTERVAL 30 DAY) AS moved_month,
         (SELECT count() FROM profile_versions FINAL WHERE profile_id IN {profiles:Array(UUID)}) AS profile_versions,
         (SELECT count() FROM profiles_latest FINAL WHERE profile_id IN {profiles:Array(UUID)}) AS profiles_latest,
         (SELECT count() FROM profile_expiries_log FINAL WHERE hash IN {hashes:Array(String)}) AS profile_expiries_log,
         (SELECT count() FROM audience_changes_log FINAL WHERE profile_id IN {profiles:Array(UUID)}) AS audience_changes_log,
         (SELECT count() FROM deliveries_log FINAL WHERE profile_id IN {profiles:Array(UUID)}) AS deliveries_log`,
      { hashes, profiles },
    );
    return counts as NonNullable<typeof counts>;
  }

  /** What was delivered of these profiles, and where to. */
  deliveries(profiles: readonly string[]): Promise<Delivered[]> {
    return this.#rows(
      `SELECT destination, countIf(outcome = 'delivered') AS delivered, countIf(outcome = 'dead') AS dead, count() AS requests,
         countIf(trigger != 'profile' AND requested_at > now() - INTERVAL 7 DAY) AS requests_week, countIf(outcome = 'dead' AND requested_at > now() - INTERVAL 30 DAY) AS dead_month,
         max(finished_at) AS last
       FROM deliveries WHERE profile_id IN {profiles:Array(UUID)} GROUP BY destination ORDER BY destination`,
      { profiles },
    );
  }
}

export const TABLES = [
  'events_log',
  'collected',
  'identity_mappings',
  'identity_claims_log',
  'identity_changes_log',
  'profile_versions',
  'profiles_latest',
  'profile_expiries_log',
  'audience_changes_log',
  'deliveries_log',
] as const;
type Table = (typeof TABLES)[number];

export interface Delivered {
  readonly destination: string;
  readonly delivered: number;
  readonly dead: number;
  readonly requests: number;
  /** Requested within the last seven days. */
  readonly requests_week: number;
  /** Given up, of the last 30 days. */
  readonly dead_month: number;
  readonly last: string;
}
