import type { Logged } from '../core/compare/reason.ts';
import type { Figures } from '../core/compare/third-opinion.ts';
import type { Query } from './query.ts';

/** What one identifier routed, of what was received until then, milliseconds. */
export interface Asked {
  readonly hash: string;
  readonly until: number;
}

/** A version of a profile. */
export interface Caused {
  readonly hashes: readonly string[];
  readonly causes: readonly string[];
}

interface Row {
  readonly hash: string;
  readonly events: number;
  readonly currencies: readonly string[];
  readonly micros: readonly string[];
  readonly touches: number;
  readonly touched_at: string;
  readonly touch_id: string;
  readonly touch_source: string;
}

/** Bound values are part of an address, which may not be longer. */
const AT_ONCE = 100;

/** Counts, sums and last touches from the event log, by nothing but SQL. */
export class EventFigures {
  readonly #rows: Query;
  readonly #onProgress: (done: number, of: number) => void;

  /** @param onProgress told of how many identifiers `of` has asked, and of how many it will */
  constructor(query: Query, onProgress: (done: number, of: number) => void = () => {}) {
    this.#rows = query;
    this.#onProgress = onProgress;
  }

  /** Where nothing is known, there is no entry. @returns by `figuresKey` */
  async of(asked: Iterable<Asked>): Promise<ReadonlyMap<string, Figures>> {
    const found = new Map<string, Figures>();
    // The log is sorted by hash: neighbours are read together.
    const sorted = [...new Map([...asked].map((one) => [figuresKey(one), one])).entries()].sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
    // An identifier may be asked for until several moments: once in each round.
    const rounds: (readonly [string, number])[][] = [];
    const times = new Map<string, number>();
    for (const [, { hash, until }] of sorted) {
      const round = times.get(hash) ?? 0;
      times.set(hash, round + 1);
      rounds[round] ??= [];
      rounds[round].push([hash, until]);
    }
    const chunks = rounds.flatMap((round) =>
      Array.from({ length: Math.ceil(round.length / AT_ONCE) }, (_, n) => round.slice(n * AT_ONCE, (n + 1) * AT_ONCE)),
    );
    for (const [n, chunk] of chunks.entries()) {
      this.#onProgress(n * AT_ONCE, sorted.length);
      const untils = new Map(chunk);
      for (const row of await this.#figures(untils))
        found.set(figuresKey({ hash: row.hash, until: untils.get(row.hash) ?? 0 }), figuresIn(row));
    }
    return found;
  }

  /** Events that these identifiers routed, newest first; undefined where there are more. */
  async logged(hashes: readonly string[], most: number): Promise<readonly Logged[] | undefined> {
    const found: Logged[] = [];
    for (let at = 0; at < hashes.length; at += AT_ONCE) {
      const rows = await this.#rows<Omit<Logged, 'received_at'> & { readonly received_at: string }>(
        `SELECT toString(routing) AS hash, message_id, if(ifNull(event, '') = '', type, assumeNotNull(event)) AS event, toString(toUnixTimestamp64Milli(received_at)) AS received_at
         FROM events_log FINAL WHERE routing IN {hashes:Array(String)} ORDER BY received_at DESC LIMIT {limit:UInt32}`,
        { hashes: hashes.slice(at, at + AT_ONCE), limit: most + 1 },
      );
      for (const row of rows) found.push({ ...row, received_at: Number(row.received_at) });
      if (found.length > most) return undefined;
    }
    return found;
  }

  /** Message ids that led to versions of profiles that had one of these identifiers, with the identifiers that each had. Reads all versions. */
  causes(hashes: readonly string[]): Promise<Caused[]> {
    return this.#rows<Caused>(
      `SELECT identifiers.hash AS hashes, causes FROM profile_versions
       WHERE hasAny(identifiers.hash, CAST({hashes:Array(String)}, 'Array(FixedString(32))')) AND notEmpty(causes)`,
      { hashes: hashes.slice(0, AT_ONCE) },
    );
  }

  /** Which of some message ids, of a hundred of them at most, the event log does not have. Reads the ids of all events. */
  async missing(messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    const ids = messageIds.slice(0, AT_ONCE);
    if (ids.length === 0) return new Set();
    const rows = await this.#rows<{ readonly message_id: string }>(
      'SELECT DISTINCT message_id FROM events_log WHERE message_id IN {ids:Array(String)}',
      { ids },
    );
    const there = new Set(rows.map(({ message_id }) => message_id));
    return new Set(ids.filter((id) => !there.has(id)));
  }

  #figures(untils: ReadonlyMap<string, number>): Promise<Row[]> {
    return this.#rows<Row>(FIGURES, { hashes: [...untils.keys()], untils: [...untils.values()] });
  }
}

export const figuresKey = ({ hash, until }: Asked): string => `${hash}/${until}`;

const figuresIn = (row: Row): Figures => ({
  events: row.events,
  revenue: new Map(row.currencies.map((currency, n) => [currency, BigInt(row.micros[n] as string)])),
  lastTouch:
    row.touches === 0
      ? null
      : { timestamp: Number(row.touched_at), message_id: row.touch_id, source: row.touch_source },
});

/** The first of these that is an amount, in millionths: read as a decimal, rounded half to even. */
const amountOf = (names: readonly string[]): string =>
  `coalesce(${names
    .map((name) => {
      const text = `trimBoth(trim(BOTH '"' FROM JSONExtractRaw(payload, 'properties', '${name}')))`;
      return `if(match(${text}, '^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$'), roundBankers(toDecimal256OrNull(${text}, 30), 6), NULL)`;
    })
    .join(', ')})`;

const PARTS = ['source', 'medium', 'name', 'term', 'content', 'id'];

const FIGURES = `SELECT toString(routing) AS hash, toUInt32(count()) AS events,
  sumMapIf([currency], [toInt256(assumeNotNull(amount) * 1000000) * sign], sign != 0 AND amount IS NOT NULL) AS sums,
  sums.1 AS currencies, arrayMap(micros -> toString(micros), sums.2) AS micros,
  toUInt32(countIf(is_touch)) AS touches, argMaxIf((timestamp, message_id, source), (timestamp, message_id, source), is_touch) AS touch,
  toString(toUnixTimestamp64Milli(touch.1)) AS touched_at, touch.2 AS touch_id, touch.3 AS touch_source
FROM (
  SELECT routing, timestamp, message_id, source,
    if(type != 'track', 0, multiIf(event = 'Order Completed', 1, event IN ('Order Refunded', 'Order Cancelled'), -1, 0)) AS sign,
    if(sign = 0, NULL, ${amountOf(['revenue', 'total', 'value'])}) AS amount,
    upper(extract(JSONExtractString(payload, 'properties', 'currency'), '^ *([A-Za-z]{3}) *$')) AS stated,
    if(stated = '', log.currency, stated) AS currency,
    position(payload, 'campaign":') > 0 AND (${PARTS.map((part) => `JSONExtractString(payload, 'context', 'campaign', '${part}') != ''`).join(' OR ')}) AS is_touch
  FROM events_log AS log FINAL
  LEFT JOIN (
    SELECT hash, max(until) AS forgotten FROM profile_expiries_log WHERE hash IN {hashes:Array(String)} GROUP BY hash
  ) AS expiry ON log.routing = expiry.hash
  WHERE routing IN {hashes:Array(String)} AND (expiry.hash = '' OR received_at > forgotten)
    AND received_at <= fromUnixTimestamp64Milli(transform(toString(routing), {hashes:Array(String)}, {untils:Array(Int64)}, toInt64(0)))
)
GROUP BY routing`;
