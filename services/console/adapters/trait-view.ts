import type { ClickHouseClient } from '@clickhouse/client';
import type { Definitions } from '#shared/definitions/definitions.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { traitViewOf, type ViewHome } from '../core/trait-view.ts';

/** A statement of a thousand traits is longer than ClickHouse takes by itself. */
const LONGEST_STATEMENT = 16_777_216;

/** Makes the view once. @param statement `traitViewOf` @throws what ClickHouse says */
export const makeTraitView = (client: ClickHouseClient, statement: string) =>
  client.command({
    query: statement,
    clickhouse_settings: { max_query_size: String(LONGEST_STATEMENT) },
  });

/**
 * Keeps ClickHouse's `profile_traits` as traits are defined. Several consoles may do so: all end with the newest definitions, and make
 * the same of them.
 */
export class TraitView implements Service {
  readonly name = 'trait view';
  readonly #client: ClickHouseClient;
  readonly #home: ViewHome;
  readonly #log: Log;
  readonly #stopped = new AbortController();
  /** The statement that makes it as it is to be. */
  #wanted: string | undefined;
  #changed = Promise.withResolvers<void>();
  #done: Promise<void> | undefined;

  constructor(client: ClickHouseClient, home: ViewHome, log: Log) {
    this.#client = client;
    this.#home = home;
    this.#log = log;
    this.#stopped.signal.addEventListener('abort', () => this.#changed.resolve());
  }

  /** To be called with every snapshot; only what changes the view is carried out. */
  want(definitions: Definitions): void {
    this.#wanted = traitViewOf(definitions, this.#home);
    this.#changed.resolve();
  }

  async run(): Promise<void> {
    this.#done = this.#run();
    await this.#done;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    const backOff = new BackOff(500, 60_000);
    let made: string | undefined;
    while (!signal.aborted) {
      const wanted = this.#wanted;
      if (wanted === undefined || wanted === made) {
        await this.#changed.promise;
        if (!signal.aborted) this.#changed = Promise.withResolvers();
        continue;
      }
      try {
        await makeTraitView(this.#client, wanted);
        made = wanted;
        backOff.succeeded();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn({ reason }, 'profile_traits in ClickHouse is not as traits are defined; it is tried again');
        await backOff.failed(signal);
      }
    }
  }
}
