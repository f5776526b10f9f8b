import type { Generation, TraitFill } from '#schemas/generated/records.ts';
import {
  fillsTopic,
  generationsTopic,
  movesTopic,
  quietTopics,
  type Topic,
  topics,
  traitFillsTopic,
} from '#schemas/topics.ts';
import { CLAIMS, EVERYTHING } from '#shared/generations/rebuilt.ts';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import type { Admin, KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { holdsRecords } from '#shared/kafka/holds-records.ts';
import type { Reader } from '#shared/kafka/read-partitions.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { followTopic } from '../../adapters/follow-topic.ts';
import { type Feed, Goals, type Reach } from './goals.ts';
import { isAllRead, type Reading, type Standing } from './progress.ts';

export interface WatchedFrom {
  readonly admin: Admin;
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
}

/** Tells how far a generation is, from what its tasks write down; also while none of them runs. */
export class Watch {
  readonly #from: WatchedFrom;
  readonly #feeds: readonly Feed[];
  /** By partition, what it has said of all that it folds. */
  readonly #partitions = new Map<number, TraitFill>();
  #profiles: TraitFill | undefined;
  #claims: TraitFill | undefined;
  #record: Generation;
  #readers: Reader[] = [];
  #lost: Error | undefined;
  /** From Kafka: where `events.stitched` ended at first. */
  #ends: readonly Reach[] | undefined;
  readonly #goals: Goals;

  private constructor(from: WatchedFrom, record: Generation) {
    this.#from = from;
    this.#record = record;
    this.#goals = new Goals(
      () => this.#reaches(),
      (topic, ranges) => holdsRecords(from.kafka, topic, ranges),
    );
    const { generation, claims } = record;
    const own = quietTopics(generation);
    const feed = (task: string, topic: Topic, what: Feed['what'] = 'rest'): Feed => ({
      group: `${from.prefix}g${generation}.${task}`,
      topic: from.prefix + topic.name,
      what,
    });
    this.#feeds = [
      ...(claims === 'rebuilt'
        ? [feed('reclaim', topics.identityClaims, 'claims'), feed('linker', own.identityClaims, 'claims')]
        : [feed('linker', topics.identityClaims, 'claims')]),
      feed('projector', topics.eventsStitched, 'events'),
      feed('projector', own.identityChanges),
      feed('projector', movesTopic(generation)),
      feed('projector', fillsTopic(generation)),
    ];
  }

  static async begin(from: WatchedFrom, record: Generation): Promise<Watch> {
    const watch = new Watch(from, record);
    try {
      await watch.#follow();
    } catch (error) {
      await watch.end();
      throw error;
    }
    return watch;
  }

  async #follow(): Promise<void> {
    const onLost = (error: Error): void => {
      this.#lost = error;
    };
    const { generation } = this.#record;
    const fills = await followTopic(this.#from, traitFillsTopic(generation), { onLost }, (_, fill) => {
      if (fill?.trait !== EVERYTHING.trait) return;
      if (fill.partition >= 0) this.#partitions.set(fill.partition, fill);
      else if (fill.version === CLAIMS.version) this.#claims = fill;
      else this.#profiles = fill;
    });
    this.#readers.push(fills);
    const records = await followTopic(this.#from, generationsTopic, { onLost }, (_, record) => {
      if (record?.generation === generation) this.#record = record;
    });
    this.#readers.push(records);
    await Promise.all(this.#readers.map((reader) => reader.caughtUp()));
  }

  /** Somebody has dropped it meanwhile. */
  get isDropped(): boolean {
    return this.#record.state === 'dropped';
  }

  /** Somebody has made it live: the services run it. */
  get isLive(): boolean {
    return this.#record.state === 'live';
  }

  /** @throws where Kafka does not answer; it may be asked again */
  async look(): Promise<Standing> {
    if (this.#lost) {
      await this.end();
      this.#lost = undefined;
      await this.#follow();
    }
    const { claims, history } = this.#record;
    const reaches = await this.#reaches();
    const behind = { events: 0, claims: 0, rest: 0 };
    for (const { feed, from, below } of reaches) behind[feed.what] += below - from;
    const events = reaches.filter(({ feed }) => feed.what === 'events');
    this.#ends ??= events;
    const isKafka = history === 'kafka';
    const told = [...this.#partitions.values()].filter(({ complete }) => complete).length;
    const standing = {
      begun: this.#partitions.size,
      told,
      partitions: events.length,
      profiles: isKafka ? readUpTo(this.#ends, events) : readingOf(this.#profiles),
      claims: claims === 'rebuilt' ? readingOf(this.#claims) : undefined,
      unit: isKafka ? ('offsets' as const) : ('events' as const),
      isSettled: false,
      behind,
    };
    if (!isAllRead(standing) || standing.told < standing.partitions) return standing;
    return { ...standing, isSettled: await this.#goals.areReached(reaches) };
  }

  async end(): Promise<void> {
    const readers = this.#readers;
    this.#readers = [];
    await Promise.all(readers.map((reader) => reader.stop()));
  }

  async #reaches(): Promise<Reach[]> {
    const { admin } = this.#from;
    const perFeed = this.#feeds.map(async (feed) => {
      const { group: groupId, topic } = feed;
      const [group] = await askedAgain(() => admin.fetchOffsets({ groupId, topics: [topic] }));
      const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      const bounds = await topicOffsets(admin, topic);
      return bounds.map(({ partition, low, high }) => {
        const from = Math.min(Math.max(committed.get(partition) ?? low, low), high);
        return { feed, partition, low, from, below: high };
      });
    });
    return (await Promise.all(perFeed)).flat();
  }
}

const readingOf = (fill: TraitFill | undefined): Reading => ({
  rows: fill?.rows ?? 0,
  of: fill?.of ?? 0,
  isRead: fill?.complete ?? false,
});

/** How much of what there was at first has been read. */
function readUpTo(ends: readonly Reach[], now: readonly Reach[]): Reading {
  let rows = 0;
  let of = 0;
  for (const { partition, low, below } of ends) {
    const { from = low } = now.find((reach) => reach.partition === partition) ?? {};
    rows += Math.min(from, below) - low;
    of += below - low;
  }
  return { rows: Math.max(0, rows), of, isRead: rows >= of };
}
