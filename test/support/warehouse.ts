import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { accountingTopic, topics } from '#schemas/topics.ts';
import { migrate } from '../../deploy/clickhouse/migrate.ts';
import type { Surroundings } from '../../deploy/clickhouse/migrations.ts';
import { addresses } from './addresses.ts';
import type { Installation } from './installation.ts';

/** A database of its own that reads an installation's topics. */
export interface Warehouse {
  readonly client: ClickHouseClient;
  readonly database: string;
  readonly surroundings: Surroundings;
  /** Rows of a query; `{db}` stands for the database. */
  rows<T = Record<string, unknown>>(query: string): Promise<T[]>;
  /** Stops reading, so that the next test has the server for itself. */
  close(): Promise<void>;
}

export async function openWarehouse(installation: Installation): Promise<Warehouse> {
  const { clickhouseUrl, clickhousePassword, forClickHouse } = addresses();
  const client = createClient({ url: clickhouseUrl, username: 'default', password: clickhousePassword });
  const database = installation.prefix.replace('.', '');
  const surroundings = {
    database,
    ...forClickHouse,
    prefix: installation.prefix,
    generation: 1,
    cluster: '',
  };
  // ClickHouse takes a schema from the registry when a record names it: all have been registered by their writers.
  for (const topic of [...Object.values(topics), accountingTopic(1)])
    await installation.codecs.ofTopic(installation.prefix + topic.name, topic.value);
  await migrate(client, surroundings);
  return {
    client,
    database,
    surroundings,
    async rows<T>(query: string) {
      const result = await client.query({ query: query.replaceAll('{db}', database), format: 'JSONEachRow' });
      return result.json<T>();
    },
    async close() {
      await client.command({ query: `DROP DATABASE ${database}` });
      await client.close();
    },
  };
}
