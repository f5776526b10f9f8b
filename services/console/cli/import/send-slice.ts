import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { BackOff } from '#shared/service/back-off.ts';
import { Trouble } from '../trouble.ts';
import type { Slice } from './slices.ts';
import type { SliceAnswer } from './totals.ts';

const pack = promisify(gzip);

/** Where slices go, and how they are to be read. */
export interface Target {
  /** Of the collector, without a path. */
  readonly url: string;
  readonly writeKey: string;
  /** All but the number of the first row. */
  readonly query: URLSearchParams;
}

const counts = z.record(z.string(), z.number());
const shape = z.object({
  accepted: z.number(),
  rejected: z.number(),
  dropped: z.number(),
  flags: counts,
  rows: z.array(z.object({ row: z.number(), code: z.string(), message: z.string() })),
});
const refusalShape = z.object({ code: z.string(), message: z.string() });

const ANSWER_MS = 60_000;
/** So long the collector may be away or broken. A rate that is used up is neither, however long it takes. */
const GIVE_UP_MS = 10 * 60_000;

/**
 * Sends a slice until it is answered, as often as it takes and the collector asks for.
 * @param stop ends the waiting between tries, not a request under way
 * @returns undefined when it was stopped before there was an answer
 * @throws Trouble when the collector refuses it, or does not answer for too long
 */
export async function sendSlice(slice: Slice, target: Target, stop: AbortSignal): Promise<SliceAnswer | undefined> {
  const query = new URLSearchParams(target.query);
  query.set('firstRow', String(slice.firstRow));
  const body = await pack(Buffer.concat([slice.header, slice.bytes]), { level: 1 });
  const address = `${target.url.replace(/\/+$/, '')}/v1/bulk?${query}`;
  const backOff = new BackOff(250, 10_000);
  let failingSince = performance.now();
  while (!stop.aborted) {
    const answer = await ask(address, target.writeKey, body);
    if (answer.status === 200) return answerIn(answer);
    if (!comesBack(answer.status)) throw refused(answer);
    if (answer.status !== 429 && performance.now() - failingSince > GIVE_UP_MS)
      throw new Trouble(`the collector does not take it: ${reasonIn(answer)}`, 'the same command goes on');
    if (answer.retryAfter > 0)
      await sleep(answer.retryAfter * 1_000, undefined, { signal: stop }).catch(() => undefined);
    else await backOff.failed(stop);
    if (answer.status === 429) failingSince = performance.now();
  }
  return undefined;
}

interface Answered {
  /** 0: none. */
  readonly status: number;
  readonly text: string;
  /** Seconds; 0 where it is not said. */
  readonly retryAfter: number;
}

async function ask(url: string, writeKey: string, body: Buffer): Promise<Answered> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'x-write-key': writeKey, 'content-encoding': 'gzip' },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const retryAfter = Number(response.headers.get('retry-after') ?? 0);
    return { status: response.status, text: await response.text(), retryAfter: Math.max(0, retryAfter) || 0 };
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    return { status: 0, text: cause?.code ?? (error as Error).message, retryAfter: 0 };
  }
}

function answerIn(answer: Answered): SliceAnswer {
  const read = shape.safeParse(jsonIn(answer.text));
  if (!read.success)
    throw new Trouble('what answers is no collector that knows /v1/bulk', 'is TRIBUTARY_COLLECTOR_URL right?');
  return read.data;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const comesBack = (status: number): boolean => status === 0 || status === 408 || status === 429 || status >= 500;

function refused(answer: Answered): Trouble {
  const { status } = answer;
  const advice = status === 404 ? 'is it a collector, and one that knows /v1/bulk?' : '';
  return new Trouble(`the collector refuses it: ${reasonIn(answer)}`, advice, status === 400 ? 2 : 1);
}

function reasonIn({ status, text }: Answered): string {
  if (status === 0) return text;
  const read = refusalShape.safeParse(jsonIn(text));
  return read.success ? `${read.data.message} (${status} ${read.data.code})` : `it answers ${status}`;
}
