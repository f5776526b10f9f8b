import { setTimeout as sleep } from 'node:timers/promises';

/** Senders that send an event again until it is acknowledged, as SDKs do, and then the next. */
export class PersistentSenders {
  /** Message ids, in the order of their acknowledgement. */
  readonly acknowledged: string[] = [];
  /** By message id: how often it was sent. */
  readonly attempts = new Map<string, number>();
  /** Statuses that were no acknowledgement. */
  readonly refused: number[] = [];
  /** Requests that had no answer. */
  unanswered = 0;
  readonly #url: () => string;
  readonly #key: string;
  readonly #senders: readonly Promise<void>[];
  #on = true;

  /** @param name starts each message id @param url asked before each request: a collector may come back elsewhere */
  constructor(name: string, url: () => string, key: string) {
    this.#url = url;
    this.#key = key;
    this.#senders = Array.from({ length: 16 }, (_, sender) => this.#send(`${name}, sender ${sender}`));
  }

  /** Lets each sender end with an acknowledgement. */
  async stop(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#senders);
  }

  /**
   * What is wrong with what is stored: acknowledged and not there, or there more often than it was sent.
   * @param stored message ids
   */
  wrongIn(stored: readonly string[]): string[] {
    const times = new Map<string, number>();
    for (const messageId of stored) times.set(messageId, (times.get(messageId) ?? 0) + 1);
    return [
      ...this.acknowledged.filter((messageId) => !times.has(messageId)).map((id) => `${id}: acknowledged and lost`),
      ...[...this.attempts]
        .filter(([messageId, attempts]) => (times.get(messageId) ?? 0) > attempts)
        .map(([id, attempts]) => `${id}: sent ${attempts} times, there ${times.get(id)} times`),
    ];
  }

  async #send(sender: string): Promise<void> {
    for (let n = 0; this.#on; n++) {
      const messageId = `${sender}, ${n}`;
      while ((await this.#attempt(messageId)) !== 200);
      this.acknowledged.push(messageId);
    }
  }

  async #attempt(messageId: string): Promise<200 | undefined> {
    this.attempts.set(messageId, (this.attempts.get(messageId) ?? 0) + 1);
    try {
      const answer = await fetch(`${this.#url()}/v1/track`, {
        method: 'POST',
        headers: { 'x-write-key': this.#key },
        body: JSON.stringify({ event: 'E', userId: messageId, messageId }),
      });
      await answer.arrayBuffer();
      if (answer.status === 200) return 200;
      this.refused.push(answer.status);
    } catch {
      this.unanswered++;
    }
    await sleep(50);
    return undefined;
  }
}
