import type { ClickHouseClient } from '@clickhouse/client';
import { editionNow } from '../core/edition-seen.ts';
import { Problem } from '../core/problem.ts';

/** Asks for rows, with all values bound, never spliced. @throws Problem */
export type Query = <T>(query: string, params?: Readonly<Record<string, unknown>>) => Promise<T[]>;

/** Which rows of tables that bear an edition are seen, by the parameter `edition`. */
export const SEEN = `edition <= ifNull({edition:Nullable(UInt32)}, ${editionNow('generations_now')})`;

export const queryOf =
  (client: ClickHouseClient, database: string): Query =>
  async <T>(query: string, params: Readonly<Record<string, unknown>> = {}): Promise<T[]> => {
    try {
      const result = await client.query({
        query,
        query_params: params,
        format: 'JSONEachRow',
        clickhouse_settings: {
          database,
          date_time_output_format: 'iso',
          output_format_json_quote_64bit_integers: 0,
          max_execution_time: 30,
        } as Record<string, string | number>,
      });
      return await result.json<T>();
    } catch (error) {
      const problem = new Problem(503, 'warehouse_unavailable', 'ClickHouse does not answer this now');
      problem.cause = error;
      throw problem;
    }
  };
