import type { EventCollected, EventRejected } from '#schemas/generated/records.ts';
import { type Topic, topics } from '#schemas/topics.ts';
import { type DefinitionsFeed, followDefinitions } from '#shared/definitions/feed.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { Sources } from '../core/sources.ts';
import { within } from './within.ts';

/** How long Kafka is given to let go. */
const LEAVE_MS = 2_000;

/** A topic to write to. */
export interface Target<V> {
  readonly topic: string;
  readonly partitions: number;
  readonly encode: (value: V) => Buffer;
}

/** What the collector must know before it can take an event. */
export interface Known {
  readonly collected: Target<EventCollected>;
  readonly rejected: Target<EventRejected>;
  readonly sources: Sources;
}

/**
 * Learns topics, schemas and definitions, and follows the definitions. Kafka and the registry may come late; when Kafka goes, what is
 * known stays known.
 */
export class Installation implements Service {
  readonly name = 'installation';
  readonly #kafka: KafkaClient;
  readonly #codecs: Codecs;
  readonly #prefix: string;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #targets: Omit<Known, 'sources'> | undefined;
  #feed: DefinitionsFeed | undefined;
  /** Undefined as long as something is not known. */
  known: Known | undefined;

  constructor(kafka: KafkaClient, codecs: Codecs, prefix: string, log: Log) {
    this.#kafka = kafka;
    this.#codecs = codecs;
    this.#prefix = prefix;
    this.#log = log;
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const backOff = new BackOff(100, 2_000);
    while (!signal.aborted) {
      try {
        await Promise.race([stopped, this.#follow(stopped, () => backOff.succeeded())]);
      } catch (error) {
        this.#log.error({ err: error }, 'the installation cannot be read; trying again');
        await backOff.failed(signal);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#leave();
  }

  async #follow(stopped: Promise<void>, succeeded: () => void): Promise<void> {
    this.#targets ??= await this.#findTargets();
    const targets = this.#targets;
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    const feed = await Promise.race([
      followDefinitions(this.#kafka, this.#codecs, this.#prefix, this.#log, lost.reject),
      lost.promise,
    ]);
    this.#feed = feed;
    const learn = (): void => {
      this.known = { ...targets, sources: new Sources(feed.current()) };
    };
    feed.onChange(learn);
    learn();
    succeeded();
    try {
      await Promise.race([stopped, lost.promise]);
    } finally {
      await this.#leave();
    }
  }

  async #leave(): Promise<void> {
    const feed = this.#feed;
    this.#feed = undefined;
    if (feed) await within(LEAVE_MS, 'leaving', feed.stop()).catch(() => undefined);
  }

  async #findTargets(): Promise<Omit<Known, 'sources'>> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const target = async <V>(
        { name }: Topic,
        codecOf: (topic: string) => Promise<{ encode(value: V): Buffer }>,
      ): Promise<Target<V>> => {
        const topic = this.#prefix + name;
        const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
        const codec = await codecOf(topic);
        return {
          topic,
          partitions: metadata.topics[0]?.partitions.length ?? 0,
          encode: (value) => codec.encode(value),
        };
      };
      return {
        collected: await target<EventCollected>(topics.eventsCollected, (topic) =>
          this.#codecs.ofTopic(topic, 'EventCollected'),
        ),
        rejected: await target<EventRejected>(topics.eventsRejected, (topic) =>
          this.#codecs.ofTopic(topic, 'EventRejected'),
        ),
      };
    } finally {
      await admin.disconnect();
    }
  }
}
