import { BackOff } from '#shared/service/back-off.ts';
import type { Admin } from './client.ts';

/** First offset that a partition still has, and the one after its last. */
export interface Bounds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** The bounds of every partition of a topic; asks again while a new topic's leaders are not known everywhere. */
export async function topicOffsets(admin: Admin, topic: string): Promise<Bounds[]> {
  const backOff = new BackOff(20, 200);
  for (;;) {
    try {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
    } catch (error) {
      if (!(error as { retriable?: boolean }).retriable || backOff.failingMs > 5_000) throw error;
      await backOff.failed();
    }
  }
}
