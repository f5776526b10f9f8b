import { expect, test } from 'vitest';
import { migrate, readMigrations } from '../../../deploy/clickhouse/migrate.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation } from '../../support/installation.ts';
import { openWarehouse } from '../../support/warehouse.ts';

test('a migration that was killed between a statement and its note goes on', async () => {
  const installation = await createInstallation(addresses());
  const { client, database, surroundings, close } = await openWarehouse(installation);
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
  } finally {
    await close();
    await installation.close();
  }
});
