import { type ClickHouseClient, createClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aggregates, events } from '#shared/expressions/arbitrary.fixture.ts';
import { evaluate, isAmong } from '#shared/expressions/evaluate.ts';
import { aggregate } from '#shared/expressions/expression.ts';
import { type Answered, answerOf, toSql } from '#shared/expressions/to-sql.ts';
import { addresses } from '../../support/addresses.ts';

const NOW = Date.UTC(2026, 2, 1, 13, 30);
const PEOPLE = 20;
const QUESTIONS = 500;

const table = `asked_${process.pid}`;
let client: ClickHouseClient;
beforeAll(() => {
  const { clickhouseUrl, clickhousePassword } = addresses();
  client = createClient({ url: clickhouseUrl, username: 'default', password: clickhousePassword });
});
afterAll(async () => {
  await client.command({ query: `DROP TABLE IF EXISTS ${table}` });
  await client.close();
});

test('ClickHouse answers as plain reading of the events does, to any question about any events', async () => {
  const seed = Number(process.env.TRIBUTARY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const people = fc.sample(events(NOW), { numRuns: PEOPLE, seed });
  const questions = fc.sample(aggregates, { numRuns: QUESTIONS, seed });
  await client.command({
    query: `CREATE TABLE ${table} (person UInt32, type LowCardinality(String), event LowCardinality(Nullable(String)),
    source LowCardinality(String), message_id String, timestamp DateTime64(3, 'UTC'), payload String) ENGINE = Memory`,
  });
  await client.insert({
    table,
    values: people.flatMap((list, person) =>
      list.map((event) => ({ ...event, person, timestamp: new Date(event.timestamp).toISOString().slice(0, -1) })),
    ),
    format: 'JSONEachRow',
  });
  let selective = 0;
  for (const question of questions) {
    expect(aggregate.safeParse(question).error).toBeUndefined();
    const { where, value, params } = toSql(question, NOW);
    const result = await client.query({
      query: `SELECT person, ${value} AS answered FROM ${table} WHERE ${where} GROUP BY person`,
      query_params: params,
      format: 'JSONEachRow',
    });
    const rows = await result.json<{ person: number; answered: Answered }>();
    const answers = new Map(rows.map(({ person, answered }) => [person, answerOf(answered)]));
    for (const [person, list] of people.entries()) {
      const counts = question.aggregate === 'count' || question.aggregate === 'uniqueCount';
      expect(answers.get(person) ?? (counts ? 0 : undefined), `seed ${seed}: ${JSON.stringify(question)}`).toEqual(
        evaluate(question, list, NOW),
      );
    }
    const all = people.flat();
    const share = all.filter((event) => isAmong(question.of, event, JSON.parse(event.payload))).length / all.length;
    if (share > 0.1 && share < 0.9) selective++;
  }
  expect(selective, `seed ${seed}`).toBeGreaterThan(QUESTIONS / 5);
});
