import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { EventCollected, EventStitched, RecordName, Records } from '#schemas/generated/records.ts';
import { deliveryTopic, movesTopic, type Topic, topics } from '#schemas/topics.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import { followDefinitions } from '#shared/definitions/feed.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { type Hashing, hashingWith } from '#shared/identity/hashing.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { createLog } from '#shared/service/log.ts';
import { readOptions } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';
import { readSecret } from '#shared/service/start-up.ts';
import type { Platform } from '../../deploy/local/platform.ts';
import { answersHttp } from '../../deploy/local/probes.ts';
import { type Books, differences, outcomesOf, sum } from '../../deploy/local/sample/books.ts';
import { type Installation, type KafkaRecord, readRecords } from '../../deploy/local/sample/kafka-records.ts';
import { followLedger, type Ledger } from '../../deploy/local/sample/ledger.ts';
import type { SampleHost } from '../../deploy/local/sample/run.ts';
import { sendClicks } from '../../deploy/local/sample/send-clicks.ts';
import { sendOrders } from '../../deploy/local/sample/send-orders.ts';
import { connectWarehouse } from '../../deploy/local/sample/warehouse.ts';
import { until } from './until.ts';
import type { Wave } from './wave.ts';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

const DESTINATION = 'crm';
const QUIET_WITHIN_MS = 240_000;
const sharedSecret = 'of the river’s webhook';

/** Where it runs; what can be told of its units is told when it does not become quiet. */
export type RiverHost = SampleHost & Partial<Pick<Platform, 'units'>>;

/** All of one platform, from the requests to the receiver of webhooks, and what went through it. */
export class River {
  readonly host: RiverHost;
  readonly installation: Installation;
  readonly receiver: WebhookReceiver;
  readonly clickhouse: ClickHouseClient;
  readonly hashing: Hashing;
  readonly destination = DESTINATION;
  /** As the topics had them, also what has expired since. */
  readonly collected = new Map<string, KafkaRecord<EventCollected>>();
  readonly stitched = new Map<string, KafkaRecord<EventStitched>>();
  readonly #ledger: Ledger;
  readonly #acknowledged = new Set<string>();
  readonly #sent: Wave[] = [];

  private constructor(
    host: RiverHost,
    installation: Installation,
    parts: Pick<River, 'receiver' | 'clickhouse' | 'hashing'>,
    ledger: Ledger,
  ) {
    this.host = host;
    this.installation = installation;
    this.receiver = parts.receiver;
    this.clickhouse = parts.clickhouse;
    this.hashing = parts.hashing;
    this.#ledger = ledger;
  }

  /**
   * With a webhook destination that takes part of the orders.
   * @param reachedAs name of this machine where activation runs, when that is elsewhere
   */
  static async open(host: RiverHost, reachedAs?: string): Promise<River> {
    const env = host.env();
    const read = readOptions(platformOptions, env, []);
    if ('errors' in read) throw new Error(read.errors.join('; '));
    const { prefix, generation, registryUrl, partitions, replication } = read.values;
    const kafka = createKafka(read.values, 'test');
    const codecs = new Codecs(registryUrl);
    const installation = { kafka, codecs, prefix, generation };
    const receiver = await startWebhookReceiver({ sharedSecret, keep: false, ...(reachedAs && { reachedAs }) });
    const body = definitionKinds.destination.parse({
      type: 'webhook',
      action: 'send',
      subscribe: 'type = "track" and event = "Order Completed" and properties.revenue >= 40',
      settings: { sharedSecret },
      mapping: { url: receiver.url, method: 'POST', data: { '@path': '$.' } },
      retry: { attempts: 50, initialMs: 100, maxMs: 2_000 },
    });
    await applyDefinitions(
      { kafka, codecs, prefix, partitions, replication },
      [{ kind: 'destination', name: DESTINATION, body }],
      { actor: 'test', reason: 'a receiver of orders', at: Date.now() },
    );
    const clickhouse = connectWarehouse({
      url: env.TRIBUTARY_CLICKHOUSE_URL as string,
      username: env.TRIBUTARY_CLICKHOUSE_USER as string,
      password: host.clickhousePassword,
    });
    const hashing = hashingWith(readSecret({ secretFile: '', dataDirectory: host.directory }));
    const ledger = await followLedger(installation, DESTINATION);
    const river = new River(host, installation, { receiver, clickhouse, hashing }, ledger);
    await river.#untilServed();
    return river;
  }

  async close(): Promise<void> {
    await this.#ledger.stop();
    await this.clickhouse.close();
    await this.receiver.close();
  }

  /** Those that the collector has acknowledged. */
  get waves(): readonly Wave[] {
    return this.#sent;
  }

  /** What the collector has acknowledged, by message id. */
  get acknowledged(): ReadonlySet<string> {
    return this.#acknowledged;
  }

  /**
   * Sends a wave by Segment's library and by plain requests; both try again what is not acknowledged.
   * @param inTheMiddle called once, when a third is acknowledged and the rest is on its way
   */
  async send(wave: Wave, inTheMiddle: () => void = () => undefined): Promise<void> {
    const host = `http://127.0.0.1:${this.host.settings.collectorPort}`;
    const so = { orders: 0, clicks: 0 };
    let struck = false;
    const progress = (part: keyof typeof so) => (count: number) => {
      so[part] = count;
      if (struck || so.orders + so.clicks < wave.sent / 3) return;
      struck = true;
      inTheMiddle();
    };
    const [orders, clicks] = await Promise.all([
      sendOrders(wave.orders, { host, writeKey: 'local-server', onProgress: progress('orders') }),
      sendClicks(wave.visits, { host, writeKey: 'local-web', onProgress: progress('clicks') }),
    ]);
    if (orders + clicks !== wave.sent) throw new Error(`${orders + clicks} of ${wave.sent} were acknowledged`);
    for (const messageId of wave.messageIds) this.#acknowledged.add(messageId);
    this.#sent.push(wave);
  }

  /** Waits until nothing is on its way in Kafka any more. @returns the books, which balance then */
  async quiet(): Promise<Books> {
    const { prefix, generation } = this.installation;
    let books: Books | undefined;
    let found: string[] = [];
    const distinct = sum(this.#sent.map((wave) => wave.distinct));
    const isQuiet = async (): Promise<boolean> => {
      books = await this.#ledger.read();
      found = differences(books, { prefix, generation, destinations: [DESTINATION] });
      const stitched = outcomesOf(books, 'resolver', prefix + topics.eventsCollected.name).stitched ?? 0;
      if (stitched < distinct) found.push(`stitched ${stitched} of ${distinct}`);
      return found.length === 0 || sleep(150, false);
    };
    const units = () =>
      this.host
        .units?.()
        .map(({ name, state, restarts, note }) => [name, state, `${restarts} restarts`, note].join(', '));
    await until('nothing is on its way', isQuiet, QUIET_WITHIN_MS, () => ({ found, units: units() }));
    await this.#record(topics.eventsCollected, this.collected);
    await this.#record(topics.eventsStitched, this.stitched);
    return books as Books;
  }

  records<N extends RecordName>(topic: Topic & { readonly value: N }): Promise<KafkaRecord<Records[N]>[]> {
    return readRecords(this.installation, topic);
  }

  async definitions(): Promise<Definitions> {
    const { kafka, codecs, prefix } = this.installation;
    const following = await followDefinitions(kafka, codecs, prefix, createLog('test', 'silent'), () => undefined);
    await following.stop();
    return following.current();
  }

  /** As if the retention of the event topics had passed. */
  async expire(): Promise<void> {
    const { kafka, prefix, generation } = this.installation;
    const admin = kafka.admin();
    await admin.connect();
    const expired = [topics.eventsCollected, topics.eventsStitched, topics.identityChanges, movesTopic(generation)];
    for (const { name } of expired) {
      const topic = prefix + name;
      const partitions = (await topicOffsets(admin, topic)).map(({ partition, high }) => ({
        partition,
        offset: String(high),
      }));
      await admin.deleteTopicRecords({ topic, partitions });
      const left = (await topicOffsets(admin, topic)).filter(({ low, high }) => low < high);
      if (left.length > 0) throw new Error(`${topic} still holds records`);
    }
    await admin.disconnect();
  }

  async #record<N extends RecordName>(
    topic: Topic & { readonly value: N },
    into: Map<string, KafkaRecord<Records[N]>>,
  ): Promise<void> {
    for (const record of await this.records(topic)) into.set(`${record.partition}/${record.offset}`, record);
  }

  /** An event that comes before the planner knows the destination is not planned for it. */
  async #untilServed(): Promise<void> {
    const topic = this.installation.prefix + deliveryTopic(DESTINATION).name;
    const ready = `http://127.0.0.1:${this.host.settings.activationOpsPort}/ready`;
    await until(
      'activation serves the destination',
      async () =>
        (await this.#ledger.read()).accounting.some((one) => one.topic === topic) && (await answersHttp(ready)),
    );
  }
}
