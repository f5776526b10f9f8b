import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { captures } from '../../support/captures.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';

const bodies = captures
  .filter(({ method }) => method === 'POST')
  .map(({ url, body }) => ({ url, bytes: Buffer.from(JSON.stringify(body)) }));

/** What is done to a body, at places given as shares of its length. */
type Mangling =
  | { readonly does: 'cut'; readonly at: number }
  | { readonly does: 'remove' | 'double'; readonly at: number; readonly share: number }
  | { readonly does: 'put'; readonly at: number; readonly bytes: Uint8Array };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const scraps = ['{', '}', '[', ']', '"', ',', ':', '\\', '\\u0000', 'null', '-', '1e999', '{"a":', '"userId":{},'];
const scrap = fc.oneof(
  fc.constantFrom(...scraps).map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
);
const mangling: fc.Arbitrary<Mangling> = fc.oneof(
  fc.record({ does: fc.constant('cut'), at: share }),
  fc.record({ does: fc.constantFrom('remove', 'double'), at: share, share: share.map((one) => one / 10) }),
  fc.record({ does: fc.constant('put'), at: share, bytes: scrap }),
);

function mangled(bytes: Buffer, how: Mangling): Buffer {
  const at = Math.floor(how.at * bytes.length);
  const before = bytes.subarray(0, at);
  if (how.does === 'cut') return before;
  if (how.does === 'put') return Buffer.concat([before, how.bytes, bytes.subarray(at)]);
  const end = at + Math.floor(how.share * bytes.length);
  return Buffer.concat([
    before,
    ...(how.does === 'double' ? [bytes.subarray(at, end)] : []),
    bytes.subarray(how.does === 'double' ? at : end),
  ]);
}

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, { shop: { writeKeys: [{ key: 'captured-key' }] } });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

test('whatever is done to what SDKs send, it gets an answer in JSON, and what is acknowledged is stored', async () => {
  let acknowledged = 0;
  const answers: Record<number, number> = {};
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...bodies),
      fc.array(mangling, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async ({ url, bytes }, manglings, compressed) => {
        const body = manglings.reduce(mangled, bytes);
        const response = await fetch(collector.url + url, {
          method: 'POST',
          headers: { 'x-write-key': 'captured-key', ...(compressed ? { 'content-encoding': 'gzip' } : {}) },
          body: compressed ? gzipSync(body) : new Uint8Array(body),
        });
        const { status } = response;
        const answer = (await response.json()) as Record<string, unknown>;
        answers[status] = (answers[status] ?? 0) + 1;
        if (status === 200) {
          expect(answer).toEqual({ success: true });
          // Only what is still JSON can have been taken.
          const { batch } = JSON.parse(body.toString()) as { batch?: unknown[] };
          acknowledged += url.includes('/b') ? (batch?.length ?? 0) : 1;
        } else {
          expect([400, 413]).toContain(status);
          expect(answer).toEqual({ code: expect.any(String), message: expect.any(String), error: answer.message });
        }
      },
    ),
    { numRuns: 400, endOnFailure: true },
  );
  expect(answers[200]).toBeGreaterThan(0);
  expect(answers[400]).toBeGreaterThan(100);
  const stored = await Promise.all(
    [topics.eventsCollected, topics.eventsRejected].map((topic) => readAll(installation, topic)),
  );
  // What a group call says of the group is stored beside it.
  const isAccount = ({ value }: { readonly value: object | null }) =>
    value !== null && 'kind' in value && value.kind === 'account';
  expect(stored.flat().filter((record) => !isAccount(record))).toHaveLength(acknowledged);
  expect(collector.child.exitCode).toBeNull();
});
