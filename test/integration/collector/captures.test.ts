import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type Capture, captures } from '../../support/captures.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';

const ORIGIN = 'https://shop.example.com';

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, { shop: { writeKeys: [{ key: 'captured-key' }], allowedOrigins: [ORIGIN] } });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

/** What the connection sets itself. */
const ownHeaders = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'accept-encoding']);

async function send({ method, url, headers, body }: Capture): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = headers['content-encoding'] === 'gzip' ? gzipSync(text) : Buffer.from(text);
  return fetch(collector.url + url, {
    method,
    headers: Object.entries(headers).filter(([name]) => !ownHeaders.has(name.toLowerCase())),
    ...(method === 'POST' ? { body: bytes } : {}),
  });
}

describe('what real SDKs sent gets the answer that they need', () => {
  test.each(captures.map((capture, n) => [`${n} ${capture.method} ${capture.url.split('?')[0]}`, capture] as const))(
    '%s',
    async (_, capture) => {
      const answer = await send(capture);
      const text = await answer.text();
      const { origin } = capture.headers;
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin ?? null);
      if (capture.method === 'OPTIONS') {
        expect(answer.status).toBe(204);
        const allowed = answer.headers.get('access-control-allow-headers')?.split(', ');
        for (const name of capture.headers['access-control-request-headers']?.split(', ') ?? [])
          expect(allowed).toContain(name.toLowerCase());
        return;
      }
      expect(answer.status).toBe(200);
      const json = JSON.parse(text) as unknown;
      if (capture.method === 'POST') expect(json).toEqual({ success: true });
      else if (capture.url.includes('sourceConfig'))
        expect(json).toMatchObject({ source: { writeKey: 'captured-key', enabled: true, destinations: [] } });
      else {
        const apiHost = `${new URL(collector.url).host}/v1`;
        expect(json).toEqual({
          integrations: { 'Segment.io': { apiKey: 'captured-key', apiHost, protocol: 'http' } },
          metrics: { sampleRate: 0 },
        });
      }
    },
  );

  test('and every event of theirs is stored', async () => {
    const sent = captures.flatMap(({ body }) =>
      typeof body === 'string' ? [] : body.batch ? body.batch.map(({ messageId }) => messageId) : [body.messageId],
    );
    const records = await readAll(installation, topics.eventsCollected);
    expect(await readAll(installation, topics.eventsRejected)).toEqual([]);
    const { person = [], account = [] } = Object.groupBy(records, ({ value }) => value?.kind ?? 'none');
    expect(person.map(({ value }) => value?.message_id).sort()).toEqual(sent.sort());
    const groupCalls = person.filter(({ value }) => value?.type === 'group');
    expect(account.map(({ value }) => value?.message_id).sort()).toEqual(
      groupCalls.map(({ value }) => `${value?.message_id}:account`).sort(),
    );
    const rudder = records.find(({ value }) => value?.payload.includes('RudderLabs JavaScript SDK'))?.value;
    expect(rudder?.sent_at).not.toBeNull();
  });
});
