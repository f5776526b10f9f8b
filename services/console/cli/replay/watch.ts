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
import { askedAgain } from '#shared/kafka/asked-again.ts';
import type { Admin, KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { holdsRecords, type OffsetRange } from '#shared/kafka/holds-records.ts';
import type { Reader } from '#shared/kafka/read-partitions.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { followTopic } from '../../adapters/follow-topic.ts';
import type { Standing } from './progress.ts';

export interface WatchedFrom {
  readonly admin: Admin;
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
}

/** What a task of a generation reads. */
interface Feed {
  readonly group: string;
  readonly topic: string;
  readonly what: 'events' | 'claims' | 'rest';
}

/** How far one of them is, of one partition. */
interface Reach extends OffsetRange {
  readonly feed: Feed;
}

/** So few offsets may be markers alone; then it is worth to look whether there are records among them. */
const FEW = 1_000;

/** What is to be told of history for a generation as a whole, and not for a trait: the record's trait is empty. */
const isOfAll = ({ trait }: TraitFill): boolean => trait === '';

/** Tells how far a generation is, from what its tasks write down; also while none of them runs. */
export class Watch {
  readonly #from: WatchedFrom;
  readonly #generation: number;
  readonly #feeds: readonly Feed[];
  readonly #begun = new Map<number, TraitFill>();
  #told: TraitFill | undefined;
  #record: Generation | undefined;
  #readers: Reader[] = [];
  #lost: Error | undefined;
  /** Where everything ended when history had been read, as far as somebody is not there yet; empty: all are. */
  #goal: Reach[] | undefined;

  private constructor(from: WatchedFrom, record: Generation) {
    this.#from = from;
    const { generation } = record;
    this.#generation = generation;
    this.#record = record;
    const own = quietTopics(generation);
    const feed = (task: string, topic: Topic, what: Feed['what'] = 'rest'): Feed => ({
      group: `${from.prefix}g${generation}.${task}`,
      topic: from.prefix + topic.name,
      what,
    });
    this.#feeds = [
      feed('linker', record.claims === 'rebuilt' ? own.identityClaims : topics.identityClaims, 'claims'),
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
    const fills = await followTopic(this.#from, traitFillsTopic(this.#generation), { onLost }, (_, fill) => {
      if (!fill || !isOfAll(fill)) return;
      if (fill.partition >= 0) this.#begun.set(fill.partition, fill);
      else this.#told = fill;
    });
    this.#readers.push(fills);
    const records = await followTopic(this.#from, generationsTopic, { onLost }, (_, record) => {
      if (record?.generation === this.#generation) this.#record = record;
    });
    this.#readers.push(records);
    await Promise.all(this.#readers.map((reader) => reader.caughtUp()));
  }

  /** Somebody has dropped it meanwhile. */
  get isDropped(): boolean {
    return this.#record?.state === 'dropped';
  }

  /** @throws where Kafka does not answer; it may be asked again */
  async look(): Promise<Standing> {
    if (this.#lost) {
      await this.end();
      this.#lost = undefined;
      await this.#follow();
    }
    const reaches = await this.#reaches();
    const behind = { events: 0, claims: 0, rest: 0 };
    for (const { feed, from, below } of reaches) behind[feed.what] += below - from;
    const { rows = 0, of = 0, complete = false } = this.#told ?? {};
    if (complete) await this.#settle(reaches);
    const [first] = this.#begun.values();
    return {
      begun: this.#begun.size,
      partitions: this.#told?.partitions ?? first?.partitions ?? 0,
      rows,
      of,
      isRead: complete,
      isSettled: this.#goal?.length === 0,
      behind,
    };
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
        return { feed, partition, from, below: high };
      });
    });
    return (await Promise.all(perFeed)).flat();
  }

  /** Forgets of the goal what has been reached. */
  async #settle(reaches: readonly Reach[]): Promise<void> {
    const goal = (this.#goal ?? reaches).flatMap(({ feed, partition, below }) => {
      const now = reaches.find((reach) => reach.feed === feed && reach.partition === partition);
      return now && now.from < below ? [{ feed, partition, from: now.from, below }] : [];
    });
    this.#goal = [];
    for (const [feed, open] of Map.groupBy(goal, (reach) => reach.feed)) {
      const offsets = open.reduce((sum, { from, below }) => sum + below - from, 0);
      if (offsets > FEW || (await holdsRecords(this.#from.kafka, feed.topic, open))) this.#goal.push(...open);
    }
  }
}
