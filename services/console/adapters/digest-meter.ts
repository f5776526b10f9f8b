import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import { formatDigest } from '#shared/profiles/digest.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { noProfiles, withProfile } from '../core/compare/digest-table.ts';
import type { Version } from '../core/compare/standing.ts';
import { compareWithWarehouse } from './compare-with-warehouse.ts';
import type { ProfileView } from './profile-view.ts';
import type { Warehouse } from './warehouse.ts';

interface Options {
  readonly view: Pick<ProfileView, 'answers' | 'isOfOneEdition' | 'digests'>;
  readonly warehouse: Warehouse;
  /** Between two measurements; 0: never. */
  readonly everyMs: number;
  readonly metrics: Registry;
  readonly log: Log;
}

/** So many profiles are compared with ClickHouse each time, one after the other: those that follow the last ones. */
const MOST_COMPARED = 1_000;
/** It works for so long, and then lets others for three times as long. */
const WORKS_MS = 20;
const RESTS_MS = 60;
const NOT_READY_MS = 1_000;

/** Tells the digest of the view from time to time, and whether ClickHouse has the same. */
export class DigestMeter implements Service {
  readonly name = 'digest meter';
  readonly #options: Options;
  readonly #stopped = new AbortController();
  readonly #profiles: Gauge;
  readonly #digest: Gauge<'digest'>;
  readonly #compared: Gauge;
  readonly #differing: Gauge;
  #after = '';
  #done: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    const registers = [options.metrics];
    this.#profiles = new Gauge({ name: 'tributary_profiles', help: 'Profiles in the view of the read API', registers });
    this.#digest = new Gauge({
      name: 'tributary_profiles_digest_info',
      help: '1, with the digest over these profiles',
      labelNames: ['digest'],
      registers,
    });
    this.#compared = new Gauge({
      name: 'tributary_profiles_compared',
      help: 'Of these, profiles that were compared with ClickHouse the last time',
      registers,
    });
    this.#differing = new Gauge({
      name: 'tributary_profiles_differing',
      help: 'Of those compared, profiles that ClickHouse has otherwise',
      registers,
    });
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
    const { view, everyMs, log } = this.#options;
    const { signal } = this.#stopped;
    const rest = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
    if (everyMs === 0) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return;
    }
    while (!signal.aborted) {
      if (!(view.answers && view.isOfOneEdition)) {
        await rest(NOT_READY_MS);
        continue;
      }
      await this.#measure(rest).catch((error: Error) => {
        if (!signal.aborted) log.warn({ reason: error.message }, 'profiles could not be compared with ClickHouse');
      });
      await rest(everyMs);
    }
  }

  async #measure(rest: (ms: number) => Promise<unknown>): Promise<void> {
    const { view, warehouse, log } = this.#options;
    const compared = new Map<string, Version>();
    let total = noProfiles;
    let last = '';
    let since = performance.now();
    for await (const [id, version] of view.digests()) {
      total = withProfile(total, version.digest);
      if (id > this.#after && compared.size < MOST_COMPARED) {
        compared.set(id, version);
        last = id;
      }
      if (performance.now() - since < WORKS_MS) continue;
      await rest(RESTS_MS);
      if (this.#stopped.signal.aborted) return;
      since = performance.now();
    }
    this.#after = compared.size < MOST_COMPARED ? '' : last;
    this.#profiles.set(total.profiles);
    this.#digest.reset();
    this.#digest.set({ digest: formatDigest(total.digest) }, 1);
    const { differing, behind } = await compareWithWarehouse(warehouse, compared, this.#stopped.signal);
    this.#compared.set(compared.size);
    this.#differing.set(differing.length + behind.length);
    if (differing.length + behind.length > 0)
      log.warn(
        { differing: differing.length, behind: behind.length, profile_id: differing[0] ?? behind[0] },
        'ClickHouse has profiles otherwise: `tributary doctor` looks closer',
      );
  }
}
