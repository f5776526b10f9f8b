import { askedAgain } from './asked-again.ts';
import type { Admin } from './client.ts';

/**
 * First offset that a partition still has, and the one that comes next for readers of what is committed: the first of a transaction that
 * is open, else the one after the last.
 */
export interface Bounds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** The bounds of every partition of a topic; asks again while a new topic's leaders are not known everywhere. */
export async function topicOffsets(admin: Admin, topic: string): Promise<Bounds[]> {
  const offsets = await askedAgain(() => admin.fetchTopicOffsets(topic));
  return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
}
