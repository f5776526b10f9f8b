import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryOf } from '../../../services/console/adapters/query.ts';
import { Warehouse } from '../../../services/console/adapters/warehouse.ts';
import type { Place } from '../../../services/console/core/cursor.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { type Warehouse as Opened, openWarehouse } from '../../support/warehouse.ts';

const AT = '2026-03-01 12:00:00.123';
const [HERE, THERE, ELSEWHERE] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string];
const PROFILE = '11111111-1111-5111-8111-111111111111';

let installation: Installation;
let opened: Opened;
let warehouse: Warehouse;
beforeAll(async () => {
  installation = await createInstallation(addresses());
  opened = await openWarehouse(installation);
  warehouse = new Warehouse(queryOf(opened.client, opened.database));
});
afterAll(async () => {
  await opened.close();
  await installation.close();
});

const insert = (table: string, values: readonly object[]) =>
  opened.client.insert({ table: `${opened.database}.${table}`, values: [...values], format: 'JSONEachRow' });

/** Reads on from page to page, to the end. */
async function all<P>(
  pageAfter: (after: P | undefined) => Promise<{ readonly rows: readonly object[]; readonly end: P | undefined }>,
) {
  const pages: object[][] = [];
  let after: P | undefined;
  do {
    const { rows, end } = await pageAfter(after);
    pages.push([...rows]);
    after = end;
  } while (after !== undefined);
  return pages;
}

describe('page by page', () => {
  test('events of one millisecond are all told once', async () => {
    const event = (n: number, rest: object = {}) => ({
      received_at: AT,
      message_id: `m${n % 200}`,
      // The same message id from another source, or with another identifier, is another event.
      source: n < 220 ? 'web' : 'app',
      routing: n < 200 ? HERE : THERE,
      payload: `{"properties":{"n":${n}}}`,
      ...rest,
    });
    await insert('events_log', [
      ...Array.from({ length: 250 }, (_, n) => event(n)),
      event(250, { received_at: '2026-03-01 12:00:00.122' }),
      event(251, { received_at: '2026-03-01 12:00:00.124' }),
      event(252, { routing: ELSEWHERE }),
    ]);
    const page = { limit: 100, before: undefined };
    const pages = await all<Place<'events'>>((after) => warehouse.events([HERE, THERE], { ...page, after }));
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 52]);
    const told = pages.flat().map((row) => (row as { properties: unknown }).properties);
    const numbers = told.map((properties) => (JSON.parse(JSON.stringify(properties)) as { n: number }).n);
    expect(new Set(numbers)).toEqual(new Set(Array.from({ length: 252 }, (_, n) => n)));
    expect([numbers[0], numbers.at(-1)]).toEqual([251, 250]);
    expect(pages[0]?.[0]).not.toHaveProperty('routing');

    const before = Date.parse('2026-03-01T12:00:00.123Z');
    const older = await all<Place<'events'>>((after) => warehouse.events([HERE, THERE], { limit: 1, before, after }));
    expect(older.flat()).toMatchObject([{ message_id: 'm50' }]);
  });

  test('so are changes of one decision', async () => {
    const change = (n: number, rest: object = {}) => ({
      decided_at: AT,
      kind: 'refused',
      profile_id: PROFILE,
      identifier_type: 'email',
      identifier: `${n}`,
      hash: n % 2 === 0 ? HERE : THERE,
      version: n < 150 ? 7 : 8,
      kafka_partition: n % 3,
      kafka_offset: n,
      ...rest,
    });
    await insert('identity_changes_log', [
      ...Array.from({ length: 250 }, (_, n) => change(n)),
      change(250, { hash: ELSEWHERE }),
    ]);
    const page = { limit: 100, before: undefined };
    const pages = await all<NonNullable<Place<'history'>[1]>>((at) =>
      warehouse.identityChanges([HERE, THERE], { ...page, after: at && [0, at] }),
    );
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
    const names = pages.flat().map((row) => (row as { identifier: string }).identifier);
    expect(new Set(names)).toEqual(new Set(Array.from({ length: 250 }, (_, n) => `email:${n}`)));
    expect((await warehouse.identityChanges([HERE], { ...page, after: [3, null] })).rows).toEqual([]);
  });

  test('and versions, also where the other list has ended before', async () => {
    await insert(
      'profile_versions',
      Array.from({ length: 250 }, (_, n) => ({ profile_id: PROFILE, version: n + 1, updated_at: AT })),
    );
    const page = { limit: 100, before: undefined };
    const pages = await all<number>((version) =>
      warehouse.versions(PROFILE, { ...page, after: version === undefined ? undefined : [version, null] }),
    );
    const versions = pages.flat().map((row) => (row as { version: number }).version);
    expect(versions).toEqual(Array.from({ length: 250 }, (_, n) => 250 - n));
    expect((await warehouse.versions(PROFILE, { ...page, after: [0, null] })).rows).toEqual([]);
    expect((await warehouse.versions(PROFILE, { ...page, before: 2, after: undefined })).rows).toHaveLength(1);
  });
});
