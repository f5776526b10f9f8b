import { type ClickHouseClient, createClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aggregates, conditions, events, NOW, profiles, zones } from '#shared/expressions/arbitrary.fixture.ts';
import { type AskedEvent, type AskedProfile, evaluate, holdsOf, isAmong } from '#shared/expressions/evaluate.ts';
import {
  type Aggregate,
  aggregate,
  aggregates as aggregateNames,
  comparisons,
  condition,
} from '#shared/expressions/expression.ts';
import { readJson } from '#shared/expressions/read-json.ts';
import { type Answered, answerOf, conditionToSql, toSql } from '#shared/expressions/to-sql.ts';
import { addresses } from '../../support/addresses.ts';

const PEOPLE = 20;
const QUESTIONS = 350;
const CONDITIONS = 150;

interface Person {
  readonly events: readonly AskedEvent[];
  readonly profile: { readonly [N in keyof AskedProfile]: ReadonlyMap<string, string> };
}

const table = `asked_${process.pid}`;
const profileTable = `asked_profiles_${process.pid}`;
let client: ClickHouseClient;
beforeAll(async () => {
  const { clickhouseUrl, clickhousePassword } = addresses();
  client = createClient({ url: clickhouseUrl, username: 'default', password: clickhousePassword });
  await client.command({
    query: `CREATE TABLE ${table} (profile_id UInt32, type LowCardinality(String), event LowCardinality(Nullable(String)),
    source LowCardinality(String), message_id String, timestamp DateTime64(3, 'UTC'), payload String) ENGINE = Memory`,
  });
  await client.command({
    query: `CREATE TABLE ${profileTable} (profile_id UInt32, traits Nested(name LowCardinality(String), value String),
    computed Nested(name LowCardinality(String), value String)) ENGINE = Memory`,
  });
});
afterAll(async () => {
  await client.command({ query: `DROP TABLE IF EXISTS ${table}` });
  await client.command({ query: `DROP TABLE IF EXISTS ${profileTable}` });
  await client.close();
});

async function tell(people: readonly Person[]): Promise<void> {
  await client.command({ query: `TRUNCATE TABLE ${table}` });
  await client.command({ query: `TRUNCATE TABLE ${profileTable}` });
  const rows = people.flatMap(({ events }, profile_id) =>
    events.map((event) => ({ ...event, profile_id, timestamp: new Date(event.timestamp).toISOString().slice(0, -1) })),
  );
  await client.insert({ table, values: rows, format: 'JSONEachRow' });
  const nested = (values: ReadonlyMap<string, string>, column: string): object => ({
    [`${column}.name`]: [...values.keys()],
    [`${column}.value`]: [...values.values()],
  });
  await client.insert({
    table: profileTable,
    values: people.map(({ profile: { traits, computed } }, profile_id) => ({
      profile_id,
      ...nested(traits, 'traits'),
      ...nested(computed, 'computed'),
    })),
    format: 'JSONEachRow',
  });
}

async function ask(asked: Aggregate, zone: string): Promise<(profile: number) => unknown> {
  const sql = toSql(asked, NOW, zone);
  const result = await client.query({
    query: `SELECT profile_id, ${sql.value} AS answered FROM ${sql.from(table)} WHERE ${sql.where} GROUP BY profile_id`,
    query_params: sql.params,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ profile_id: number; answered: Answered }>();
  const answers = new Map(rows.map(({ profile_id, answered }) => [profile_id, answerOf(answered)]));
  const none = asked.aggregate === 'count' || asked.aggregate === 'uniqueCount' ? 0 : undefined;
  return (profile) => answers.get(profile) ?? none;
}

/** All names and values of enumerations that an expression is made of. */
const wordsIn = (json: unknown): string[] => {
  if (typeof json === 'string') return [json];
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([name, inner]) => [name, ...wordsIn(inner)]);
};

describe('ClickHouse', () => {
  test('answers as plain reading of the events does, to any question about any events and profiles, in any zone', async () => {
    const seed = Number(process.env.TRIBUTARY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const people = fc
      .sample(fc.tuple(events(NOW), profiles), { numRuns: PEOPLE, seed })
      .map(([events, profile]) => ({ events, profile }));
    await tell(people);
    const all = people.flatMap(({ events }) => events);
    const words = new Set<string>();
    let selective = 0;
    for (const [asked, zone] of fc.sample(fc.tuple(aggregates, zones), { numRuns: QUESTIONS, seed })) {
      expect(aggregate.safeParse(asked).error).toBeUndefined();
      const answer = await ask(asked, zone);
      for (const [id, { events }] of people.entries())
        expect(answer(id), `seed ${seed}, ${zone}: ${JSON.stringify(asked)}`).toEqual(
          evaluate(asked, events, NOW, zone),
        );
      const share = all.filter((event) => isAmong(asked.of, event, readJson(event.payload), zone)).length / all.length;
      if (share > 0.1 && share < 0.9) selective++;
      for (const word of wordsIn(asked)) words.add(word);
    }
    for (const [asked, zone] of fc.sample(fc.tuple(conditions, zones), { numRuns: CONDITIONS, seed })) {
      expect(condition.safeParse(asked).error).toBeUndefined();
      const sql = conditionToSql(asked, table, NOW, zone);
      const result = await client.query({
        query: `SELECT profile_id FROM ${sql.from(profileTable)} WHERE ${sql.where} ORDER BY profile_id`,
        query_params: sql.params,
        format: 'JSONEachRow',
      });
      const found = (await result.json<{ profile_id: number }>()).map(({ profile_id }) => profile_id);
      const holding = people.flatMap(({ events, profile }, id) =>
        holdsOf(asked, profile, events, NOW, zone) ? [id] : [],
      );
      expect(found, `seed ${seed}, ${zone}: ${JSON.stringify(asked)}`).toEqual(holding);
      if (found.length > PEOPLE / 10 && found.length < PEOPLE * 0.9) selective++;
      for (const word of wordsIn(asked)) words.add(word);
    }
    expect(selective, `seed ${seed}`).toBeGreaterThan((QUESTIONS + CONDITIONS) / 5);
    const others = ['all', 'any', 'not', 'trait', 'computed', 'days', 'hours', 'time.hour', 'time.weekday'];
    const language = [...aggregateNames, ...comparisons, ...others];
    expect(
      language.filter((word) => !words.has(word)),
      `seed ${seed}: not asked`,
    ).toEqual([]);
  }, 300_000);

  test('reads strange JSON as everybody does: long numbers, escapes, and what it cannot read', async () => {
    const payloads = [
      '{"properties":{"price":123456789012345678901234567890,"plan":"long"}}',
      '{"properties":{"price":-9223372036854775809,"plan":"9223372036854775809, \\"18446744073709551616"}}',
      '{"properties":{"list":[18446744073709551616,18446744073709551616],"price":18446744073709551615,"plan":"a\\\\"}}',
      '{"properties":{"price":12345678901234567890.5,"plan":"halves","n":12345678901234567890123}}',
      '{"properties":{"price":3,"plan":"\\ud83e\\udd8a"}}',
      '{"properties":{"price":4,"plan":"price"},"context":{"properties":{"price":9}}}',
      '{"properties":{"price":1e400,"plan":"beyond"}}',
      '{"properties":{"price":5,"plan":"\\ud800"}}',
      '{"properties":{"price":1e-400,"plan":"1e400"}}',
      '{"properties":{"price":null,"plan":"null"}}',
      '{"properties":[]}',
      '{}',
    ];
    const people = payloads.map((payload, n) => ({
      events: [{ type: 'track', event: 'Odd', source: 'web', message_id: `m${n}`, timestamp: NOW, payload }],
      profile: {
        traits: new Map([
          ['odd', JSON.stringify((JSON.parse(payload) as { properties?: unknown }).properties ?? null)],
          ['long', payload.match(/[0-9]{19,}/)?.[0] ?? '1'],
        ]),
        computed: new Map<string, string>(),
      },
    }));
    await tell(people);
    for (const asked of [
      { aggregate: 'max', value: 'properties.price', of: {} },
      { aggregate: 'last', value: 'properties.plan', of: {} },
      { aggregate: 'count', of: { where: { path: 'properties.price', exists: false } } },
      { aggregate: 'count', of: { where: { path: 'properties.list', includes: 2 ** 64 } } },
    ] as const) {
      const answer = await ask(asked, 'UTC');
      const answers = people.map((_, id) => answer(id));
      expect(answers, JSON.stringify(asked)).toEqual(people.map(({ events }) => evaluate(asked, events, NOW)));
      expect(new Set(answers).size).toBeGreaterThan(1);
    }
    const asked = { trait: 'long', above: 1e19 };
    const sql = conditionToSql(asked, table, NOW);
    const result = await client.query({
      query: `SELECT profile_id FROM ${sql.from(profileTable)} WHERE ${sql.where} ORDER BY profile_id`,
      query_params: sql.params,
      format: 'JSONEachRow',
    });
    const found = (await result.json<{ profile_id: number }>()).map(({ profile_id }) => profile_id);
    expect(found).toEqual(people.flatMap(({ profile }, id) => (holdsOf(asked, profile, [], NOW) ? [id] : [])));
    expect(found.length).toBeGreaterThan(2);
  });
});
