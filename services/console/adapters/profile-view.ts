import type { Profile, Records } from '#schemas/generated/records.ts';
import { generationsTopic, topics } from '#schemas/topics.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import { type Codec, type Codecs, Undecodable } from '#shared/kafka/codec.ts';
import { TOMBSTONE_RETENTION_MS } from '#shared/kafka/provision-topics.ts';
import { type ReadBatch, type Reader, readPartitions } from '#shared/kafka/read-partitions.ts';
import { digestOf } from '#shared/profiles/digest.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import type { Version } from '../core/compare/standing.ts';
import { findByHash, findById, type Knowledge } from '../core/find-profile.ts';
import { followTopic } from './follow-topic.ts';
import { ViewStore, type Write } from './view-store.ts';

export interface ViewOptions {
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
  readonly hashing: Hashing;
  readonly directory: string;
  readonly log: Log;
}

/** A view that has lain unused for longer may have missed tombstones. */
const MAX_AGE_MS = TOMBSTONE_RETENTION_MS / 2;
/** Between batches the view is marked as fresh so often. */
const REFRESH_MS = 60_000;
/** So many profiles are taken from the disk at once, where all are. */
const PAGE = 200;

/**
 * Follows profiles and mappings, so that a profile is found by any identifier, and by any id that it ever had. What is of a higher edition
 * than the live generation's is kept, and not seen until that generation takes over; then all of it at once.
 */
export class ProfileView implements Service {
  readonly name = 'profile view';
  readonly #options: ViewOptions;
  readonly #topics: { readonly profiles: string; readonly mappings: string };
  readonly #store: ViewStore;
  readonly #stopped = new AbortController();
  #profiles: Codec<'Profile'> | undefined;
  #mappings: Codec<'IdentityMapping'> | undefined;
  #state: 'catching up' | 'following' | 'lost' = 'catching up';
  /** Whether it has caught up since it was last empty: then it answers, however old. */
  #complete = false;
  #cluster = '';
  #done: Promise<void> | undefined;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#topics = {
      profiles: options.prefix + topics.profiles.name,
      mappings: options.prefix + topics.identityMappings.name,
    };
    this.#store = new ViewStore(options.directory);
  }

  notReady(): string[] {
    return this.#state === 'following' ? [] : [`the view of profiles is ${this.#state}`];
  }

  /** Whether it can answer: false until it has read all once. */
  get answers(): boolean {
    return this.#complete;
  }

  /** Of what is seen: that of the live generation. */
  get edition(): number {
    return this.#store.edition;
  }

  /** The profile that an identifier belongs to now. */
  async byHash(hash: string): Promise<Profile | undefined> {
    return this.#decode(findByHash(hash, this.#knowledge));
  }

  /** The profile that has, or once had, this id. */
  async byId(profileId: string): Promise<Profile | undefined> {
    return this.#decode(findById(profileId, this.#knowledge));
  }

  /** Whether all that it has is seen: false while another edition is held back, or was until a moment ago. */
  get isOfOneEdition(): boolean {
    return !this.#store.hasLayers;
  }

  /** Version and digest of every profile while it is of one edition, in the order of their ids; what changes meanwhile is told before or after. */
  async *digests(): AsyncGenerator<readonly [id: string, version: Version]> {
    let after = '';
    for (;;) {
      const page = this.#store.page('p/', after, PAGE);
      for (const { key, value } of page) {
        const profile = await this.#decode(value);
        if (!profile) throw new Error('profiles cannot be read yet');
        yield [profile.profile_id, { version: profile.version, digest: digestOf(profile) }];
        after = key;
      }
      if (page.length < PAGE) return;
    }
  }

  /** Version of the identifier's mapping; 0 while it never left its default profile. */
  mappingVersion(hash: string): number {
    return this.#mapping(hash)?.version ?? 0;
  }

  async run(): Promise<void> {
    this.#done = this.#follow();
    await this.#done;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#done?.catch(() => undefined);
    await this.#store.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    const { log } = this.#options;
    const backOff = new BackOff(100, 5_000);
    while (!signal.aborted) {
      try {
        await this.#followOnce(() => backOff.succeeded());
      } catch (error) {
        if (signal.aborted) return;
        this.#state = 'lost';
        const reason = error instanceof Error ? error.message : String(error);
        if (error instanceof RangeError) {
          log.warn({ reason }, 'the view of profiles is built anew');
          this.#complete = false;
          await this.#store.clear();
        } else log.warn({ reason }, 'the view of profiles is followed anew');
        await backOff.failed(signal);
      }
    }
  }

  /** @throws RangeError when the view does not fit to the topics any more; else when they could not be read. */
  async #followOnce(onSuccess: () => void): Promise<void> {
    const { kafka, codecs, log } = this.#options;
    const { signal } = this.#stopped;
    this.#profiles = await codecs.ofTopic(this.#topics.profiles, topics.profiles.value);
    this.#mappings = await codecs.ofTopic(this.#topics.mappings, topics.identityMappings.value);
    await this.#examine();
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    let generations: Reader | undefined;
    let reader: Reader | undefined;
    const onAbort = (): void => lost.reject(new Error('stopping'));
    signal.addEventListener('abort', onAbort);
    try {
      generations = await followTopic(
        this.#options,
        generationsTopic,
        { log, onLost: lost.reject },
        (_, generation) => {
          if (generation?.state === 'live') this.#goOver(generation.edition);
        },
      );
      await Promise.race([generations.caughtUp(), lost.promise]);
      reader = await readPartitions(kafka, Object.values(this.#topics), {
        from: this.#store.offsets(),
        log,
        onLost: lost.reject,
        onBatch: (batch) => this.#take(batch),
      });
      await Promise.race([reader.caughtUp(), lost.promise]);
      this.#complete = true;
      this.#state = 'following';
      onSuccess();
      log.info('the view of profiles has caught up');
      await lost.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      await generations?.stop();
      await reader?.stop();
    }
  }

  #goOver(edition: number): void {
    if (edition > this.#store.edition) this.#options.log.info({ edition }, 'another generation is live');
    this.#store.goOver(edition);
    const onError = (error: unknown): void =>
      this.#options.log.error({ reason: String(error) }, 'what was held back stays where it was');
    this.#store.settle(this.#stopped.signal).catch(onError);
  }

  async #examine(): Promise<void> {
    const admin = this.#options.kafka.admin();
    await admin.connect();
    try {
      this.#cluster = (await admin.describeCluster()).clusterId;
    } finally {
      await admin.disconnect();
    }
    const { header } = this.#store;
    if (!header) return;
    if (header.cluster !== this.#cluster) throw new RangeError('it was made from another Kafka cluster');
    if (Date.now() - header.at > MAX_AGE_MS) throw new RangeError('it has lain unused for too long');
  }

  async #take(batch: ReadBatch): Promise<void> {
    const header = { cluster: this.#cluster, at: Date.now() };
    const stale = Date.now() - (this.#store.header?.at ?? 0) > REFRESH_MS;
    if (batch.messages.length === 0 && !stale) return;
    const writes =
      batch.topic === this.#topics.profiles ? await this.#profileWrites(batch) : await this.#mappingWrites(batch);
    await this.#store.write(writes, batch, header);
  }

  async #profileWrites({ messages }: ReadBatch): Promise<Write[]> {
    const codec = this.#profiles as Codec<'Profile'>;
    await codec.prepare(messages.map(({ value }) => value));
    const writes: Write[] = [];
    for (const { key, value } of messages) {
      const id = String(key);
      if (!value) {
        writes.push({ key: `p/${id}`, value, edition: undefined });
        continue;
      }
      const profile = this.#readable(codec, value);
      if (!profile) continue;
      const { gone, into, edition } = profile;
      writes.push({ key: `p/${id}`, value: gone ? null : value, edition });
      if (!gone) writes.push({ key: `g/${id}`, value: null, edition });
      else if (into) writes.push({ key: `g/${id}`, value: Buffer.from(into), edition });
    }
    return writes;
  }

  async #mappingWrites({ messages }: ReadBatch): Promise<Write[]> {
    const codec = this.#mappings as Codec<'IdentityMapping'>;
    await codec.prepare(messages.map(({ value }) => value));
    const writes: Write[] = [];
    for (const { key, value } of messages) {
      const hash = String(key);
      const anchored = `a/${this.#options.hashing.profileIdOf(hash)}`;
      if (!value) {
        for (const key of [anchored, `m/${hash}`]) writes.push({ key, value, edition: undefined });
        continue;
      }
      const mapping = this.#readable(codec, value);
      if (!mapping) continue;
      const { profile_id, version, edition } = mapping;
      writes.push({ key: anchored, value: Buffer.from(hash), edition });
      writes.push({ key: `m/${hash}`, value: Buffer.from(JSON.stringify({ profile_id, version })), edition });
    }
    return writes;
  }

  /** A record that cannot be read must not keep all others from being followed: what was known before stays. */
  #readable<N extends 'Profile' | 'IdentityMapping'>(codec: Codec<N>, value: Buffer): Records[N] | undefined {
    try {
      return codec.decode(value);
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      this.#options.log.error({ reason: error.message }, 'a record cannot be read and is passed over');
      return undefined;
    }
  }

  #mapping(hash: string): { readonly profile_id: string; readonly version: number } | undefined {
    const bytes = this.#store.get(`m/${hash}`);
    return bytes && (JSON.parse(bytes.toString()) as { profile_id: string; version: number });
  }

  /** Profiles as bytes: most that are looked at are not decoded. The hash of an identifier stands in them as it is. */
  readonly #knowledge: Knowledge<Buffer> = {
    profile: (id) => this.#store.get(`p/${id}`),
    successor: (id) => this.#store.get(`g/${id}`)?.toString(),
    assigned: (hash) => this.#mapping(hash)?.profile_id,
    anchor: (id) => this.#store.get(`a/${id}`)?.toString(),
    defaultProfile: (hash) => this.#options.hashing.profileIdOf(hash),
    holds: (bytes, hash) => bytes.includes(hash, 0, 'latin1'),
  };

  async #decode(bytes: Buffer | undefined): Promise<Profile | undefined> {
    const codec = this.#profiles;
    if (!bytes || !codec) return undefined;
    await codec.prepare([bytes]);
    return codec.decode(bytes);
  }
}
