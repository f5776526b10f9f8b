import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { type Books, outcomesOf, rejectedAt, sum } from './books.ts';

/** The same numbers once more, as ClickHouse counted them. */
export interface Warehouse {
  readonly collected: number;
  /** Of the collected, those whose source and message id were there before. */
  readonly duplicates: number;
  readonly events: number;
  readonly rejected: ReadonlyMap<string, number>;
  readonly deliveries: ReadonlyMap<string, number>;
  readonly profiles: number;
  /** Links between identifiers that would have broken a limit. */
  readonly refusedLinks: number;
  /** Sums over the profiles, by currency; decimal texts. */
  readonly profileRevenue: ReadonlyMap<string, string>;
  /** Sums over the orders themselves, from the text of each event. */
  readonly orderRevenue: ReadonlyMap<string, string>;
}

export interface WarehouseAddress {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

export const connectWarehouse = ({ url, username, password }: WarehouseAddress): ClickHouseClient =>
  createClient({ url, username, password, database: 'tributary', request_timeout: 60_000 });

/** @param destination whose deliveries are counted */
export async function readWarehouse(client: ClickHouseClient, destination: string): Promise<Warehouse> {
  const rows = async <T>(query: string): Promise<T[]> =>
    (await client.query({ query, query_params: { destination }, format: 'JSONEachRow' })).json<T>();
  const pairs = async (query: string): Promise<Map<string, string>> =>
    new Map((await rows<{ name: string; value: string }>(query)).map(({ name, value }) => [name, value]));
  const counts = async (query: string): Promise<Map<string, number>> =>
    new Map([...(await pairs(query))].map(([name, value]) => [name, Number(value)]));
  const totals = await counts(`
    SELECT 'collected' AS name, toString(uniqExact(kafka_partition, kafka_offset)) AS value FROM collected
    UNION ALL SELECT 'duplicates', toString(uniqExact(kafka_partition, kafka_offset) - uniqExact(source, message_id)) FROM collected
    UNION ALL SELECT 'events', toString(count()) FROM events
    UNION ALL SELECT 'profiles', toString(count()) FROM profiles
    UNION ALL SELECT 'refused', toString(count()) FROM identity_changes WHERE kind = 'refused'`);
  return {
    collected: totals.get('collected') ?? 0,
    duplicates: totals.get('duplicates') ?? 0,
    events: totals.get('events') ?? 0,
    profiles: totals.get('profiles') ?? 0,
    refusedLinks: totals.get('refused') ?? 0,
    rejected: await counts(`
      SELECT concat(stage, ': ', reason) AS name, toString(count()) AS value FROM rejected_events GROUP BY name`),
    deliveries: await counts(`
      SELECT outcome AS name, toString(count()) AS value FROM deliveries WHERE destination = {destination:String} GROUP BY name`),
    profileRevenue: await pairs(`
      SELECT currency AS name, toString(sum(toDecimal128(amount, 6))) AS value
      FROM profiles ARRAY JOIN mapKeys(revenue) AS currency, mapValues(revenue) AS amount GROUP BY name`),
    orderRevenue: await pairs(`
      SELECT JSONExtractString(payload, 'properties', 'currency') AS name,
        toString(sum(toDecimal128OrZero(JSONExtractRaw(payload, 'properties', 'revenue'), 6))) AS value
      FROM events WHERE event = 'Order Completed' GROUP BY name`),
  };
}

/** Where ClickHouse counted otherwise than Kafka; none when it has caught up and nothing is lost or there twice. */
export function warehouseDifferences(books: Books, profiles: number, warehouse: Warehouse, prefix: string): string[] {
  const found: string[] = [];
  const same = (what: string, kafka: number, clickhouse: number): void => {
    if (kafka !== clickhouse) found.push(`${what}: ${kafka} in Kafka, ${clickhouse} in ClickHouse`);
  };
  const outcomes = outcomesOf(books, 'resolver', `${prefix}events.collected`);
  same('collected', books.collected, warehouse.collected);
  same('stitched', outcomes.stitched ?? 0, warehouse.events);
  const rejectedHere = sum(
    [...warehouse.rejected].filter(([place]) => !place.startsWith('collector: ')).map(([, count]) => count),
  );
  same('rejected at the door', rejectedAt(books, 'collector'), sum([...warehouse.rejected.values()]) - rejectedHere);
  same('rejected further on', sum([...books.rejected.values()]) - rejectedAt(books, 'collector'), rejectedHere);
  for (const outcome of new Set([...books.deliveries.keys(), ...warehouse.deliveries.keys()]))
    same(`deliveries ${outcome}`, books.deliveries.get(outcome) ?? 0, warehouse.deliveries.get(outcome) ?? 0);
  same('profiles', profiles, warehouse.profiles);
  return found;
}
