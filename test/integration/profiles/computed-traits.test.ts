import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { evaluate } from '#shared/expressions/evaluate.ts';
import { aggregate } from '#shared/expressions/expression.ts';
import { anEvent } from '../../support/counting-task.ts';
import { Operator } from '../../support/operator.ts';
import { produce } from '../../support/produce.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

const DAY = 86_400_000;
const PEOPLE = 30;
/** Nobody here is anonymous but those who shall expire. */
const RETENTION_MS = 3_000;

interface Spec {
  readonly compute: unknown;
  readonly timeZone?: string;
}
const traits = {
  orders_30d: { compute: { aggregate: 'count', of: { event: 'Order Completed' }, within: { days: 30 } } },
  money: { compute: { aggregate: 'sum', value: 'properties.revenue', of: { event: 'Order Completed' } } },
  favourite: { compute: { aggregate: 'mostFrequent', value: 'properties.category' } },
  last_seen_days: { compute: { aggregate: 'daysSince' }, timeZone: 'America/St_Johns' },
  usual_hour: { compute: { aggregate: 'mostFrequent', value: 'time.hour' }, timeZone: 'Asia/Kathmandu' },
};

let operator: Operator;
const sent = new Map<string, EventCollected[]>();
let count = 0;

beforeAll(async () => {
  operator = await Operator.begin(RETENTION_MS);
});
afterAll(() => operator?.end());

/** Events of all people, over the last fifty days. */
async function send(events: number): Promise<void> {
  const values = Array.from({ length: events }, (): EventCollected => {
    const n = count++;
    const person = `p${(n * 7) % PEOPLE}`;
    const timestamp = Date.now() - ((n * 13) % 50) * DAY - n * 1_000;
    const properties = { revenue: ((n * 31) % 900) / 100, category: ['books', 'music', 'games'][(n * n) % 3] };
    const event = n % 3 === 0 ? 'Order Completed' : 'Product Viewed';
    const value = {
      ...anEvent(`c-${n}`),
      type: 'track',
      event,
      timestamp,
      original_timestamp: timestamp,
      received_at: Date.now(),
      payload: JSON.stringify({ type: 'track', event, properties }),
      identifiers: [{ type: 'user_id', value: person, hash: operator.hashing.hash('user_id', person) }],
    };
    sent.set(person, [...(sent.get(person) ?? []), value]);
    return value;
  });
  await produce(
    operator.installation,
    topics.eventsCollected,
    values.map((value) => ({ key: value.identifiers[0]?.hash ?? '', value })),
  );
}

async function apply(...definitions: readonly object[]): Promise<void> {
  const file = join(temporaryDirectory(), 'traits.json');
  writeFileSync(file, JSON.stringify(definitions));
  const { code, out, err } = await operator.run('apply', file, '--reason', 'test');
  expect(code, out + err).toBe(0);
}
const defined = (wanted: Record<string, Spec>): object[] =>
  Object.entries(wanted).map(([name, spec]) => ({ kind: 'traits', name, spec }));

/** Waits until every profile says what the naive evaluator says of its events. */
async function untilTold(wanted: Record<string, Spec>): Promise<void> {
  const asked = Object.entries(wanted).map(
    ([name, { compute, timeZone }]) => [name, aggregate.parse(compute), timeZone] as const,
  );
  let wrong: unknown;
  await until(
    'all profiles say what their events say',
    async () => {
      const rows = await operator.warehouse.rows<{ id: string; computed: string; events: string }>(
        `SELECT arrayFirst(one -> startsWith(one, 'user_id:'), identifiers) AS id, toJSONString(computed) AS computed, toString(events) AS events FROM {db}.profiles WHERE NOT startsWith(identifiers[1], 'user_id:cd-')`,
      );
      wrong = rows.length < sent.size ? rows.length : undefined;
      for (const { id, computed } of rows) {
        const events = sent.get(id.slice('user_id:'.length)) ?? [];
        const expected = Object.fromEntries(
          asked.flatMap(([name, one, zone]) => {
            const answer = evaluate(one, events, Date.now(), zone);
            return answer === undefined ? [] : [[name, answer]];
          }),
        );
        const all = JSON.parse(computed) as Record<string, unknown>;
        const told = Object.fromEntries(Object.entries(all).filter(([name]) => Object.hasOwn(traits, name)));
        if (!sameMembers(told, expected)) wrong = { id, told, expected };
      }
      return wrong === undefined;
    },
    undefined,
    () => wrong,
  );
}

const sameMembers = (a: Record<string, unknown>, b: Record<string, unknown>): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

interface Purchase {
  readonly customer: string;
  readonly date: string;
  readonly dollars: string;
}

/** The raw file, as it is; its origin is in test/data/README.md. */
const purchases: Purchase[] = gunzipSync(
  readFileSync(new URL('../../data/cdnow_master_transactions.csv.gz', import.meta.url)),
)
  .toString()
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [customer = '', date = '', , dollars = ''] = line.trim().split(',');
    return { customer, date, dollars };
  });

describe('recency, frequency and money of all customers of CDNOW', () => {
  test('are what SQL says over the raw file', async () => {
    const asked = {
      recency: { compute: { aggregate: 'daysSince', of: { event: 'Bought' } } },
      frequency: { compute: { aggregate: 'count', of: { event: 'Bought' } } },
      money: { compute: { aggregate: 'sum', value: 'properties.revenue', of: { event: 'Bought' } } },
    };
    await apply(...defined(asked));
    const received_at = Date.now();
    const values = purchases.map(({ customer, date, dollars }, n): EventCollected => {
      const timestamp = Date.parse(`${date}T12:00:00Z`);
      return {
        ...anEvent(`cdnow-${n}`),
        type: 'track',
        event: 'Bought',
        timestamp,
        original_timestamp: timestamp,
        received_at,
        payload: `{"type":"track","event":"Bought","properties":{"revenue":${dollars}}}`,
        identifiers: [
          { type: 'user_id', value: `cd-${customer}`, hash: operator.hashing.hash('user_id', `cd-${customer}`) },
        ],
      };
    });
    for (let at = 0; at < values.length; at += 10_000)
      await produce(
        operator.installation,
        topics.eventsCollected,
        values.slice(at, at + 10_000).map((value) => ({ key: value.identifiers[0]?.hash ?? '', value })),
      );
    const { client, database, rows } = operator.warehouse;
    await client.command({
      query: `CREATE TABLE ${database}.raw_purchases (customer String, date Date, dollars Decimal(18, 2)) ENGINE = MergeTree ORDER BY customer`,
    });
    await client.insert({ table: `${database}.raw_purchases`, values: purchases, format: 'JSONEachRow' });
    let seen: unknown;
    await until(
      'all customers are as the raw file says',
      async () => {
        [seen] = await rows(
          `SELECT count() AS customers, countIf(p.frequency != r.frequency OR p.money != r.money OR p.recency != r.recency) AS wrong,
             toString(sum(p.frequency)) AS purchases, toString(sum(p.money)) AS money
           FROM (SELECT customer, count() AS frequency, sum(dollars) AS money, toInt64(toDate(now('UTC')) - max(date)) AS recency
                 FROM {db}.raw_purchases GROUP BY customer) AS r
           INNER JOIN (SELECT substring(identifiers[1], 12) AS customer, toUInt64(computed.frequency) AS frequency,
                         toDecimal64(toString(computed.money), 2) AS money, toInt64(computed.recency) AS recency
                       FROM {db}.profiles WHERE startsWith(identifiers[1], 'user_id:cd-')
                         AND computed.frequency IS NOT NULL AND computed.money IS NOT NULL AND computed.recency IS NOT NULL) AS p ON p.customer = r.customer`,
        );
        const { customers, wrong } = seen as { customers: string; wrong: string };
        return Number(customers) === 23_570 && Number(wrong) === 0;
      },
      180_000,
      () => seen,
    );
    expect(seen).toMatchObject({ purchases: '69659', money: '2500315.63' });
  }, 300_000);
});

describe('computed traits', () => {
  test('of events before and after they are defined, each once, while events go on coming', async () => {
    await send(400);
    await until('ClickHouse has some', async () => {
      const [row] = await operator.warehouse.rows<{ n: string }>('SELECT toString(count()) AS n FROM {db}.events');
      return Number(row?.n) > 100;
    });
    const [applied] = await Promise.all([apply(...defined(traits)), send(300)]);
    expect(applied).toBeUndefined();
    await send(300);
    await untilTold(traits);
    const reasons = () =>
      operator.warehouse.rows(`SELECT DISTINCT arrayJoin(why) AS why FROM {db}.profile_history ORDER BY why`);
    await expect.poll(reasons).toContainEqual({ why: 'definition' });
  });

  test('a changed one follows its new version, with all that was before; one that is taken away goes', async () => {
    const { favourite: _, ...kept } = traits;
    const orders_30d = { compute: { ...traits.orders_30d.compute, within: { days: 10 } } };
    const usual_hour = { ...traits.usual_hour, timeZone: 'Europe/Berlin' };
    const left = { ...kept, orders_30d, usual_hour };
    await apply(...defined({ orders_30d, usual_hour }), { kind: 'traits', name: 'favourite', delete: true });
    await send(100);
    await untilTold(left);
  });

  test('nothing is applied where an expression is wrong, and the place is named', async () => {
    const file = join(temporaryDirectory(), 'wrong.json');
    const wrong = { compute: { aggregate: 'sum', value: 'properties.revenue', within: { days: 0 } } };
    writeFileSync(file, JSON.stringify([...defined({ fine: traits.money }), ...defined({ wrong })]));
    const { code, err } = await operator.run('apply', file, '--reason', 'test');
    expect(code).not.toBe(0);
    expect(err).toContain('within');
    const { out } = await operator.run('definitions', '--json');
    expect(out).not.toContain('fine');
  });
});

describe('an anonymous profile', () => {
  const hash = (): string => operator.hashing.hash('anonymous_id', 'cookie');
  const seen = (message: string, received_at: number): EventCollected => ({
    ...anEvent(message),
    type: 'track',
    event: 'Seen',
    timestamp: received_at,
    original_timestamp: received_at,
    received_at,
    payload: '{"type":"track","event":"Seen"}',
    identifiers: [{ type: 'anonymous_id', value: 'cookie', hash: hash() }],
  });
  const collect = (value: EventCollected): Promise<void> =>
    produce(operator.installation, topics.eventsCollected, [{ key: hash(), value }]);
  /** Each version that ClickHouse has of it. */
  const history = () =>
    operator.warehouse.rows<{ version: string; events: string; gone: boolean; why: string[]; computed: string }>(
      `SELECT toString(version) AS version, toString(events) AS events, gone, why, toJSONString(computed) AS computed
       FROM {db}.profile_history WHERE profile_id = '${operator.hashing.profileIdOf(hash())}' ORDER BY version`,
    );

  /** Waits until the books say nothing of this. Others are not all here, so not all can balance. */
  async function balanced(of: RegExp): Promise<{ readonly forgotten: number }> {
    let books = { forgotten: 0, differences: [''] };
    const differences = async (): Promise<string[]> => {
      const { out } = await operator.run('status', '--json');
      ({ books } = JSON.parse(out) as { books: typeof books });
      return books.differences.filter((one) => of.test(one));
    };
    await expect.poll(differences).toEqual([]);
    return books;
  }

  test('expires after its time, stays forgotten whatever comes late or is counted anew, and begins again', async () => {
    const first = Date.now();
    await collect(seen('seen-1', first));
    await until('it has expired', async () => (await history()).some(({ gone }) => gone), undefined, history);
    expect(await history()).toMatchObject([
      { version: '1', events: '1', gone: false },
      { version: '2', events: '0', gone: true, why: ['retention'] },
    ]);
    const id = operator.hashing.profileIdOf(hash());
    const told = () =>
      operator.warehouse.rows(
        `SELECT toUnixTimestamp64Milli(until) >= ${first} AS later, (SELECT toString(count()) FROM {db}.profiles WHERE profile_id = '${id}') AS profiles
         FROM {db}.profile_expiries WHERE hash = '${hash()}' AND profile_id = '${id}'`,
      );
    await expect.poll(told).toEqual([{ later: 1, profiles: '0' }]);
    await until('the read API knows it no more', async () => {
      const answers = [`profile_id:${id}`, 'anonymous_id:cookie'].map((name) => operator.run('profile', name));
      return (await Promise.all(answers)).every(({ code, err }) => code !== 0 && err.includes('no such profile'));
    });

    // As docs/profiles.md says: the versions, too.
    const { client, database } = operator.warehouse;
    await client.command({
      query: `ALTER TABLE ${database}.profile_versions DELETE WHERE profile_id IN (SELECT profile_id FROM ${database}.profile_expiries) AND profile_id NOT IN (SELECT profile_id FROM ${database}.profiles)`,
      clickhouse_settings: { mutations_sync: '1' },
    });
    expect(await history()).toEqual([]);

    await collect(seen('seen-2', first));
    // While nothing comes, ClickHouse stands before the marker of the last transaction.
    await apply(...defined({ sightings: { compute: { aggregate: 'count', of: { event: 'Seen' } } } }));
    const filled = () => operator.json('definitions');
    await expect.poll(filled).toContainEqual(expect.objectContaining({ name: 'sightings', filled: 1 }));
    await balanced(/fill/);
    await collect(seen('seen-3', Date.now()));
    await until('it is back', async () => (await history()).some(({ version }) => version === '3'), undefined, history);
    const [third] = await history();
    expect(third).toMatchObject({ version: '3', events: '1', gone: false });
    expect(JSON.parse(third?.computed ?? '')).toMatchObject({ sightings: 1 });
    expect((await balanced(/folded|expiry/)).forgotten).toBeGreaterThan(0);
  });
});
