import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Session } from 'chdb';

/**
 * chdb's own entry for inserts, below its typed wrapper: the wrapper takes a few text formats only, this one any, and any
 * bytes. `prefix` is the statement up to its data.
 */
type InsertRaw = (
  connection: unknown,
  prefix: string,
  data: Buffer,
  countLines: boolean,
) => Promise<{ readonly rowsWritten: number; readonly bytesWritten: number }>;

const require = createRequire(import.meta.url);
const native = require(join(dirname(require.resolve('chdb')), 'dist', 'loader.js')).loadNative() as {
  readonly InsertRawAsyncConnection: InsertRaw;
};

export interface Block {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** One connection: its settings, parameters, current database and temporary tables are its own. Opening one takes 0.4 ms. */
export interface Connection {
  run(
    sql: string,
    format: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly rows: number; readonly readBytes: number }>;
  /** @param prefix the statement up to its data. */
  insert(prefix: string, data: Buffer): Promise<{ readonly rows: number; readonly bytes: number }>;
  /** Block by block; fetching happens off the event loop. Ending the iteration early cancels the query. */
  stream(sql: string, format: string): AsyncIterable<Block>;
  close(): void;
}

/** The embedded ClickHouse. One process holds one data directory. */
export class Engine {
  readonly #directory: string;
  /** Keeps the data directory open between requests, and the tables' background work going. */
  readonly #root: Session;

  constructor(directory: string, configFile: string) {
    this.#directory = directory;
    this.#root = new Session(directory, { connectionArgs: [`--config-file=${configFile}`] });
  }

  connect(): Connection {
    const session = new Session(this.#directory);
    return {
      async run(sql, format) {
        const result = await session.queryAsync(sql, { format });
        return { bytes: result.bytes(), rows: result.rowsRead, readBytes: result.bytesRead };
      },
      async insert(prefix, data) {
        const result = await native.InsertRawAsyncConnection(session.connection, prefix, data, false);
        return { rows: result.rowsWritten, bytes: result.bytesWritten };
      },
      async *stream(sql, format) {
        for await (const chunk of session.queryStream(sql, { format }))
          yield { bytes: chunk.raw(), rows: chunk.numRows };
      },
      close: () => session.close(),
    };
  }

  close(): void {
    this.#root.close();
  }
}
