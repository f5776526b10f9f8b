import { traitFillsTopic } from '#schemas/topics.ts';
import type { Definitions, InForce } from '#shared/definitions/definitions.ts';
import { type DefinitionsFeed, followDefinitions } from '#shared/definitions/feed.ts';
import { type SensitiveTraits, sensitiveTraitsIn } from '#shared/definitions/sensitive-traits.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import type { Reader } from '#shared/kafka/read-partitions.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { shareFilled } from '../core/share-filled.ts';
import { followTopic } from './follow-topic.ts';

/**
 * Follows the identity rules, so that what is asked for is spelled as in events, what is sensitive, and which computed traits are
 * still being filled. When Kafka goes, what is known stays known.
 */
export class DefinitionsInForce implements Service {
  readonly name = 'definitions';
  readonly #follow: (onLost: (error: Error) => void) => Promise<DefinitionsFeed>;
  readonly #followFills: (onLost: (error: Error) => void) => Promise<Reader>;
  /** Of versions of computed traits, how much of the history before them has been read: from 0 to 1. */
  readonly #filled = new Map<string, number>();
  #isFilledKnown = false;
  #computed: readonly InForce<'traits'>[] = [];
  readonly #log: Log;
  readonly #stopped = new AbortController();
  #done: Promise<void> | undefined;
  readonly #listeners: ((definitions: Definitions) => void)[] = [];
  /** The identity rules; undefined as long as they are not known. */
  rules: NamingRules | undefined;
  sensitiveTraits: SensitiveTraits = new Map();

  constructor(kafka: KafkaClient, codecs: Codecs, prefix: string, generation: number, log: Log) {
    this.#follow = (onLost) => followDefinitions(kafka, codecs, prefix, log, onLost);
    this.#followFills = (onLost) =>
      followTopic({ kafka, codecs, prefix }, traitFillsTopic(generation), { log, onLost }, (_, fill) => {
        if (fill?.partition === -1) this.#filled.set(`${fill.trait}@${fill.version}`, shareFilled(fill));
      });
    this.#log = log;
  }

  /** Computed traits that are not told of yet, as they are defined now, and how far each is: from 0 to below 1. None until that is known. */
  filling(): ReadonlyMap<string, number> {
    const shares = this.#computed.map(
      ({ name, version }) => [name, this.#filled.get(`${name}@${version}`) ?? 0] as const,
    );
    return new Map(shares.filter(([, share]) => this.#isFilledKnown && share < 1));
  }

  /** Called with each snapshot, from the first on. */
  onChange(listener: (definitions: Definitions) => void): void {
    this.#listeners.push(listener);
  }

  notReady(): string[] {
    return this.rules ? [] : ['the identity rules are not known yet'];
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
    const backOff = new BackOff(100, 5_000);
    while (!signal.aborted) {
      try {
        await this.#followOnce(() => backOff.succeeded());
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn({ reason }, 'definitions are followed anew');
        await backOff.failed(signal);
      }
    }
  }

  async #followOnce(onSuccess: () => void): Promise<void> {
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => undefined);
    const onAbort = (): void => ended.reject(new Error('stopping'));
    this.#stopped.signal.addEventListener('abort', onAbort);
    let feed: DefinitionsFeed | undefined;
    let fills: Reader | undefined;
    try {
      feed = await Promise.race([this.#follow(ended.reject), ended.promise]);
      const learn = (definitions: Definitions): void => {
        this.rules = definitions.get('identity_rules', 'default')?.body ?? defaultIdentityRules;
        this.sensitiveTraits = sensitiveTraitsIn(definitions);
        this.#computed = definitions.list('traits').filter(({ body }) => body.compute !== undefined);
        for (const listener of this.#listeners) listener(definitions);
      };
      feed.onChange(learn);
      learn(feed.current());
      fills = await Promise.race([this.#followFills(ended.reject), ended.promise]);
      await Promise.race([fills.caughtUp(), ended.promise]);
      this.#isFilledKnown = true;
      onSuccess();
      await ended.promise;
    } finally {
      this.#stopped.signal.removeEventListener('abort', onAbort);
      await Promise.all([feed?.stop(), fills?.stop()]);
    }
  }
}
