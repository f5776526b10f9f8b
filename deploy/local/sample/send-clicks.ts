import { setTimeout as sleep } from 'node:timers/promises';
import type { Sending } from './send-orders.ts';
import type { Click } from './visitors.ts';

/** Visitors that are on the site at a time. */
const TOGETHER = 12;
const ATTEMPTS = 40;
const LONGEST_WAIT_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;

/** As in Segment's browser library: `/v1/p` for a page, and so on. */
const PATHS: Readonly<Record<string, string>> = { page: 'p', identify: 'i', track: 't' };

/**
 * Sends what visitors do, one request an event, each visitor's events in order: as browsers do, bad events included.
 * @returns how many were acknowledged; the others were given up
 */
export async function sendClicks(
  visits: readonly (readonly Click[])[],
  { host, writeKey, onProgress, hold }: Sending,
): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`;
  let acknowledged = 0;
  let next = 0;
  const visitor = async (): Promise<void> => {
    for (let visit = visits[next++]; visit; visit = visits[next++]) {
      for (const click of visit) {
        await hold?.();
        if (await send(`${host}/v1/${PATHS[click.type]}`, authorization, { ...click, writeKey })) acknowledged++;
        onProgress(acknowledged);
      }
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, visitor));
  return acknowledged;
}

async function send(url: string, authorization: string, event: object): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const status = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'text/plain' },
      body: JSON.stringify({ ...event, sentAt: new Date().toISOString() }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 503,
    );
    if (status === 200) return true;
    if (status < 500 && status !== 408 && status !== 410 && status !== 429) return false;
    await sleep(Math.min(LONGEST_WAIT_MS, 100 * 2 ** (attempt - 1)));
  }
  return false;
}
