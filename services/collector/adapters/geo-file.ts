import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CityResponse, open, type Reader } from 'maxmind';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { type Location, locationIn } from '../core/location.ts';

/** Such files are replaced once or twice a week. */
const LOOK_MS = 30_000;

/**
 * Where addresses are, by a file in MaxMind's format that the operator supplies and may replace: the new one is in force within half a
 * minute. One that cannot be read at the start is fatal; later the old one stays.
 */
export class GeoFile implements Service {
  readonly name = 'geo file';
  readonly #path: string;
  readonly #log: Log;
  readonly #lookMs: number;
  readonly #stopping = new AbortController();
  #reader: Reader<CityResponse> | undefined;

  constructor(path: string, log: Log, lookMs = LOOK_MS) {
    this.#path = path;
    this.#log = log;
    this.#lookMs = lookMs;
  }

  get ready(): boolean {
    return this.#reader !== undefined;
  }

  locationOf(said: string): Location | undefined {
    const address = said.replace(/^::ffff:(?=[\d.]+$)/i, '');
    const version = isIP(address);
    if (!this.#reader || version === 0 || (version === 6 && this.#reader.metadata.ipVersion === 4)) return undefined;
    try {
      return locationIn(this.#reader.get(address));
    } catch {
      // A damaged place in the file: an event is worth more than where it came from.
      return undefined;
    }
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    let seen = await this.#read();
    while (!signal.aborted) {
      await sleep(this.#lookMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const { mtimeMs } = await stat(this.#path);
        if (mtimeMs !== seen) seen = await this.#read();
      } catch (error) {
        this.#log.error({ err: error }, 'the geo file cannot be read; the one before stays in force');
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  /** @returns when the file that is in force now was written */
  async #read(): Promise<number> {
    const { mtimeMs } = await stat(this.#path);
    const reader = await open<CityResponse>(this.#path);
    this.#reader = reader;
    const { databaseType, buildEpoch } = reader.metadata;
    this.#log.info({ databaseType, built: buildEpoch }, 'geo file read');
    return mtimeMs;
  }
}
