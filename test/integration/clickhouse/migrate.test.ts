import { expect, test } from 'vitest';
import type { IdentityClaim } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { foundation, keepEvents, migrate, readMigrations } from '../../../deploy/clickhouse/migrate.ts';
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
    // As if it had died right after the last statement of each file.
    for (const { name, statements } of files)
      await client.command({
        query: `DELETE FROM ${database}.migrations WHERE name = '${name}' AND statement = ${statements.length}`,
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

test('a database that has read claims before they could be withdrawn reads on where it was', async () => {
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
    Number((await rows<{ n: string }>('SELECT count() AS n FROM {db}.identity_claims_log'))[0]?.n);
  try {
    await client.command({ query: `DROP DATABASE ${database} SYNC` });
    for (const query of foundation(surroundings)) await client.command({ query });
    for (const { name, checksum, statements } of readMigrations(surroundings).filter(({ name }) => name < '0009')) {
      for (const query of statements) await client.command({ query });
      const values = [{ name, checksum, statement: statements.length }];
      await client.insert({ table: `${database}.migrations`, values, format: 'JSONEachRow' });
    }
    await produce(installation, topics.identityClaims, [claim(1), claim(2)]);
    await until('the older tables have read them', async () => (await known()) === 2);
    // On its way while the tables are made anew.
    const [applied] = await Promise.all([
      migrate(client, surroundings),
      produce(installation, topics.identityClaims, [claim(3, { target: 'source:web' })]),
    ]);
    expect(applied[0]).toBe('0009_identity_withdrawals.sql');
    await produce(installation, topics.identityClaims, [claim(4, { target: 'actor:b' }), claim(4, { target: null })]);
    await until('all are there', async () => (await known()) >= 4);
    const targets = 'SELECT target FROM {db}.identity_withdrawals';
    await until('the last one is taken back', async () => (await rows(targets)).length === 1);
    expect(await rows(targets)).toEqual([{ target: 'source:web' }]);
    expect(await known()).toBe(4);
  } finally {
    await close();
    await installation.close();
  }
});
