import { expect, test } from 'vitest';
import type { IdentityClaim, Profile } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { foundation, keepEvents, migrate, readMigrations } from '../../../deploy/clickhouse/migrate.ts';
import { announceEdition } from '../../../services/console/adapters/announce-edition.ts';
import { nothing } from '../../../services/profile-projector/core/profile.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';
import { openWarehouse } from '../../support/warehouse.ts';

test('a migration that was killed between a statement and its note goes on, and the event log forgets as it is told', async () => {
  const installation = await createInstallation(addresses());
  const { client, database, surroundings, rows, close } = await openWarehouse(installation);
  try {
    expect(await migrate(client, surroundings)).toEqual([]);
    const files = readMigrations(surroundings);
    // As if it had died right after the last statement of each file, and where columns were added or tables made anew, after each statement.
    for (const { name, statements } of files)
      await client.command({
        query: `DELETE FROM ${database}.migrations WHERE name = '${name}' AND (statement = ${statements.length} OR name IN ('0011_profiles_whole.sql', '0014_editions.sql'))`,
        clickhouse_settings: { lightweight_deletes_sync: '2' },
      });
    expect(await migrate(client, surroundings)).toEqual(files.map(({ name }) => name));
    expect(await migrate(client, surroundings)).toEqual([]);

    const expires = async (): Promise<boolean> => {
      const sql = `SELECT engine_full FROM system.tables WHERE database = '${database}' AND name = 'events_log'`;
      return JSON.stringify(await rows(sql)).includes('TTL toDateTime(received_at)');
    };
    const done: boolean[] = [];
    for (const days of [0, 30, 30, 0, 0]) {
      const isNew = await keepEvents(client, surroundings, days);
      expect(await expires()).toBe(days > 0);
      done.push(isNew);
    }
    expect(done).toEqual([false, true, false, true, false]);
  } finally {
    await close();
    await installation.close();
  }
});

test('a database that has read claims and profiles when they said less reads on where it was, and its events are found as before', async () => {
  const installation = await createInstallation(addresses());
  const { client, database, surroundings, rows, close } = await openWarehouse(installation);
  const claim = (n: number, changes: Partial<IdentityClaim> = {}) => {
    const claim_id = String(n).padStart(32, '0');
    const value = {
      claim_id,
      kind: 'withdraw',
      identifiers: [],
      received_at: 1_700_000_000_000,
      actor: 'a',
      ...changes,
    };
    return { key: claim_id, value: value as unknown as IdentityClaim };
  };
  const known = async (): Promise<number> =>
    Number((await rows<{ n: string }>('SELECT count() AS n FROM {db}.identity_claims_log FINAL'))[0]?.n);
  const version = (
    n: number,
    order_count: number,
    profile_id = '11111111-1111-5111-8111-111111111111',
    edition = 1,
  ) => {
    const value: Profile = {
      ...nothing,
      profile_id,
      version: n,
      events: n,
      order_count,
      products: order_count ? [{ product: 'tea', currency: 'EUR', name: 'Tea', quantity: '2', revenue: '0.3' }] : [],
      changed: [],
      causes: [],
      why: ['event'],
      updated_at: 1_700_000_000_000,
      gone: false,
      into: null,
      definitions: [],
      generation: 1,
      edition,
    };
    return { key: value.profile_id, value };
  };
  const versions = `SELECT version, events, order_count, products FROM {db}.profile_history WHERE startsWith(toString(profile_id), '1') ORDER BY version`;
  const read = async (table: string): Promise<number> =>
    Number((await rows<{ n: string }>(`SELECT count() AS n FROM {db}.${table}`))[0]?.n);
  try {
    await client.command({ query: `DROP DATABASE ${database} SYNC` });
    for (const query of foundation(surroundings)) await client.command({ query });
    for (const { name, checksum, statements } of readMigrations(surroundings).filter(({ name }) => name < '0009')) {
      for (const query of statements) await client.command({ query });
      const values = [{ name, checksum, statement: statements.length }];
      await client.insert({ table: `${database}.migrations`, values, format: 'JSONEachRow' });
    }
    await produce(installation, topics.identityClaims, [claim(1), claim(2)]);
    const untouched = '33333333-3333-5333-8333-333333333333';
    await produce(installation, topics.profiles, [version(1, 1), version(1, 1, untouched)]);
    await until('the older tables have read them', async () => (await known()) === 2);
    await until('and the profiles', async () => (await read('profiles')) === 2);
    const [of, now] = ['ab'.repeat(16), '22222222-2222-5222-8222-222222222222'];
    for (const query of [
      `INSERT INTO ${database}.events_log (received_at, message_id, routing) VALUES (now64(3), 'old', '${of}'), (now64(3), 'other', '${'cd'.repeat(16)}')`,
      `INSERT INTO ${database}.identity_mappings VALUES ('${of}', '${now}', 3, now64(3), 1)`,
    ])
      await client.command({ query });
    // On its way while the tables are made anew: it is not known which of them reads it.
    const [applied] = await Promise.all([
      migrate(client, surroundings),
      produce(installation, topics.identityClaims, [claim(3)]),
      produce(installation, topics.profiles, [version(2, 0)]),
    ]);
    expect(applied[0]).toBe('0009_identity_withdrawals.sql');
    const [taken, back] = [claim(4, { target: 'actor:b' }), claim(4, { target: null })];
    await produce(installation, topics.identityClaims, [taken, back, claim(5, { target: 'source:web' })]);
    await until('all are there', async () => (await known()) >= 5);
    const targets = () => rows('SELECT target FROM {db}.identity_withdrawals');
    await expect.poll(targets).toEqual([{ target: 'source:web' }]);
    expect(await known()).toBe(5);

    await produce(installation, topics.profiles, [version(3, 5)]);
    await until('all versions are there', async () => (await read('profile_history')) === 4);
    expect(await rows(`SELECT message_id FROM {db}.events WHERE profile_id = '${now}'`)).toEqual([
      { message_id: 'old' },
    ]);

    const products = [{ product: 'tea', currency: 'EUR', name: 'Tea', quantity: 2, revenue: 0.3 }];
    expect(await rows(versions)).toMatchObject([
      { version: 1, events: 1, order_count: 0, products: [] },
      { version: 2, events: 2, order_count: 0, products: [] },
      { version: 3, events: 3, order_count: 5, products },
    ]);
    const newest = 'SELECT version, order_count, products FROM {db}.profiles ORDER BY profile_id';
    await expect
      .poll(() => rows(newest))
      .toMatchObject([
        { version: 3, order_count: 5, products },
        { version: 1, order_count: 0, products: [] },
      ]);
    // What comes of another edition lies beside what was there before there were any.
    await produce(installation, topics.profiles, [version(2, 7, untouched, 2)]);
    for (const table of ['profile_versions', 'profiles_latest'])
      await until(`it is in ${table}`, async () => (await read(`${table} WHERE edition = 2`)) === 1);
    expect(await rows(newest)).toMatchObject([{ version: 3 }, { version: 1 }]);
    await client.command({ query: `OPTIMIZE TABLE ${database}.profiles_latest FINAL` });
    expect(await rows(newest)).toMatchObject([{ version: 3 }, { version: 1 }]);
    await announceEdition(client, database, { edition: 2, generation: 2, at: 0 });
    expect(await rows(newest)).toMatchObject([{ version: 3 }, { version: 2, order_count: 7 }]);
  } finally {
    await close();
    await installation.close();
  }
});
