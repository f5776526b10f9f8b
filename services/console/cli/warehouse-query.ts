import type { Query } from '../adapters/query.ts';
import type { Connections } from './connections.ts';

/** Rows as the read API asks for them; what comes in pages and sums may take its time. */
export const warehouseQuery =
  (connections: Connections): Query =>
  (query, params = {}) =>
    connections.rows(query, params, { date_time_output_format: 'iso', output_format_json_quote_64bit_integers: 0 });
