import { setTimeout as sleep } from 'node:timers/promises';
import type { Accounting } from '#schemas/generated/records.ts';
import { accountingTopic, topics } from '#schemas/topics.ts';
import type { Reader } from '#shared/kafka/read-partitions.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { Books } from './books.ts';
import { followRecords, type Installation } from './kafka-records.ts';

/** The books as Kafka has them, followed as they grow. */
export interface Ledger {
  /** The books with all that was in Kafka when this was called. */
  read(): Promise<Books>;
  stop(): Promise<void>;
}

/**
 * Follows the topics in which everybody counts; starts anew when the connection is lost.
 * @param destination whose deliveries are counted; what others get is not the sample's
 */
export async function followLedger(installation: Installation, destination: string): Promise<Ledger> {
  let current = await startReading(installation, destination);
  let stopped = false;
  const admin = installation.kafka.admin();
  await admin.connect();
  const collected = installation.prefix + topics.eventsCollected.name;
  return {
    async read() {
      for (;;) {
        try {
          // Before the others: what was collected meanwhile must not look as if nobody had taken it for good.
          const bounds = await topicOffsets(admin, collected);
          if (current.lost()) {
            await current.stop();
            current = await startReading(installation, destination);
          }
          await current.caughtUp();
          return { ...current.books(), collected: bounds.reduce((sum, { high }) => sum + high, 0) };
        } catch (error) {
          if (stopped) throw error;
          await sleep(500);
        }
      }
    },
    async stop() {
      stopped = true;
      await current.stop();
      await admin.disconnect();
    },
  };
}

async function startReading(installation: Installation, destination: string) {
  const accounting = new Map<string, Accounting>();
  const rejected = new Map<string, number>();
  const deliveries = new Map<string, number>();
  let isLost = false;
  const onLost = (): void => {
    isLost = true;
  };
  const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const readers: Reader[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(readers.map((reader) => reader.stop().catch(() => undefined)));
  };
  try {
    readers.push(
      await followRecords(
        installation,
        accountingTopic(installation.generation),
        // Other generations count there, too.
        ({ key, value }) => value?.generation === installation.generation && accounting.set(key, value),
        onLost,
      ),
      await followRecords(
        installation,
        topics.eventsRejected,
        ({ value }) => value && count(rejected, `${value.stage}: ${value.reason}`),
        onLost,
      ),
      await followRecords(
        installation,
        topics.deliveries,
        ({ value }) => value?.destination === destination && count(deliveries, value.outcome),
        onLost,
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    lost: () => isLost,
    caughtUp: () => Promise.all(readers.map((reader) => reader.caughtUp())),
    stop,
    books: () => ({
      accounting: [...accounting.values()],
      rejected: new Map(rejected),
      deliveries: new Map(deliveries),
    }),
  };
}
