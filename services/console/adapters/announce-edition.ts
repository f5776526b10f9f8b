import type { ClickHouseClient } from '@clickhouse/client';

/** An edition, and the generation that it is of. */
export interface Announced {
  readonly edition: number;
  readonly generation: number;
  /** When readers went over to it, milliseconds. */
  readonly at: number;
}

/**
 * ClickHouse's views go over to an edition, each query as a whole. What bears it must have been read by then. Can be said again, with the
 * same words; editions only rise.
 */
export async function announceEdition(client: ClickHouseClient, database: string, announced: Announced): Promise<void> {
  const at = new Date(announced.at).toISOString().replace('Z', '').replace('T', ' ');
  await client.insert({ table: `${database}.generations_now`, values: [{ ...announced, at }], format: 'JSONEachRow' });
}
