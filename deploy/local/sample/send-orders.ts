import { Analytics } from '@segment/analytics-node';
import type { OrderEvent } from './orders.ts';

export interface Sending {
  /** Base address of the collector. */
  readonly host: string;
  readonly writeKey: string;
  /** Called with the number of events that are acknowledged so far. */
  readonly onProgress: (acknowledged: number) => void;
  /** Asked before each event; it is held back until what this answers resolves. */
  readonly hold?: () => Promise<void> | undefined;
}

/** So many events wait for their acknowledgement at most. The library tells of each 0.3 s after it came. */
const WINDOW = 3_000;
const BATCH = 100;

/**
 * Sends orders as any Node program would: through Segment's own library, which batches and tries again.
 * @returns how many were acknowledged; the others it gave up
 */
export async function sendOrders(
  orders: readonly OrderEvent[],
  { host, writeKey, onProgress, hold }: Sending,
): Promise<number> {
  const analytics = new Analytics({ host, writeKey, flushAt: BATCH, flushInterval: 200, maxRetries: 30 });
  // Without a listener a failure would be an unhandled error; the callback of each event tells the same.
  analytics.on('error', () => undefined);
  let acknowledged = 0;
  let waiting = 0;
  let roomMade = (): void => {};
  const settled: Promise<void>[] = [];
  for (const order of orders) {
    await hold?.();
    if (waiting >= WINDOW) {
      await new Promise<void>((resolve) => {
        roomMade = resolve;
      });
    }
    waiting++;
    const { promise, resolve } = Promise.withResolvers<void>();
    settled.push(promise);
    analytics.track({ ...order, properties: { ...order.properties } }, (error) => {
      waiting--;
      if (!error) acknowledged++;
      onProgress(acknowledged);
      roomMade();
      resolve();
    });
  }
  await analytics.closeAndFlush({ timeout: 600_000 });
  await Promise.all(settled);
  return acknowledged;
}
