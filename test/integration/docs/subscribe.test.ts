import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { nothing } from '../../../services/profile-projector/core/profile.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';

const docs = new URL('../../../docs/', import.meta.url);
const A = '11111111-1111-5111-8111-111111111111';
const B = '22222222-2222-5222-8222-222222222222';
const C = '33333333-3333-5333-8333-333333333333';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses(), 1);
});
afterAll(() => installation.close());

const profile = (profile_id: string, version: number, changes: Partial<Profile> = {}): Profile => ({
  ...nothing,
  profile_id,
  kind: 'person',
  version,
  identifiers: [],
  traits: [],
  computed: [],
  audiences: [],
  consents: [],
  events: version,
  event_counts: [],
  revenue: [],
  sources: [],
  first_seen: null,
  last_seen: null,
  flags: [],
  changed: [],
  causes: [],
  why: ['event'],
  updated_at: 1_700_000_000_000,
  gone: false,
  into: null,
  definitions: [],
  generation: 1,
  ...changes,
});

/**
 * Transactions as kafkajs' own filter gets them wrong: the one that began later is aborted first, so that the broker lists them
 * the other way round.
 */
async function abortInterleaved(): Promise<void> {
  const topic = installation.prefix + topics.profiles.name;
  const codec = await installation.codecs.ofTopic(topic, 'Profile');
  const producers = ['early', 'late'].map((name) =>
    installation.kafka.producer({
      transactionalId: `${installation.prefix}docs.${name}`,
      idempotent: true,
      maxInFlightRequests: 1,
    }),
  );
  await Promise.all(producers.map((producer) => producer.connect()));
  const [early, late] = await Promise.all(producers.map((producer) => producer.transaction()));
  const send = (transaction: typeof early, version: number) =>
    transaction?.send({ topic, messages: [{ key: C, value: codec.encode(profile(C, version)) }] });
  for (const version of [1, 2, 3]) {
    await send(early, 100 + version);
    await send(late, 200 + version);
  }
  await late?.abort();
  await send(early, 104);
  await early?.abort();
  await Promise.all(producers.map((producer) => producer.disconnect()));
}

test('the subscriber of docs/subscribe.md says each version once, who is gone, and nothing that was aborted', async () => {
  await produce(installation, topics.profiles, [
    { key: A, value: profile(A, 1) },
    { key: B, value: profile(B, 1) },
  ]);
  await abortInterleaved();
  await produce(installation, topics.profiles, [
    // As after a crash of the subscriber: what it has seen comes again.
    { key: A, value: profile(A, 1) },
    { key: A, value: profile(A, 2, { why: ['regroup'] }) },
    { key: B, value: profile(B, 2, { gone: true, into: A, events: 0 }) },
    { key: B, value: null },
    { key: A, value: null },
    { key: C, value: profile(C, 1) },
  ]);

  const child = spawn(process.execPath, [fileURLToPath(new URL('examples/subscribe.mjs', docs)), 'docs'], {
    env: {
      ...process.env,
      TRIBUTARY_KAFKA_BROKERS: addresses().brokers,
      TRIBUTARY_REGISTRY_URL: addresses().registryUrl,
      TRIBUTARY_PREFIX: installation.prefix,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let said = '';
  child.stdout.on('data', (data) => {
    said += String(data);
  });
  try {
    await until(
      'the last profile is told of',
      () => said.includes(C),
      60_000,
      () => said,
    );
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
  expect(said.trimEnd().split('\n')).toEqual([
    `${A} version 1: 1 events, because of event`,
    `${B} version 1: 1 events, because of event`,
    `${A} version 2: 2 events, because of regroup`,
    `${B} version 2: gone into ${A}`,
    `${A} erased`,
    `${C} version 1: 1 events, because of event`,
  ]);
});

test('docs/subscribe.md shows the examples as they are', () => {
  const page = readFileSync(new URL('subscribe.md', docs), 'utf8');
  const shown = [...page.matchAll(/```js\n\/\/ docs\/(examples\/\S+)\n([\s\S]*?)```/g)];
  expect(shown.map(([, file]) => file)).toEqual(['examples/read-committed.mjs', 'examples/subscribe.mjs']);
  for (const [, file, text] of shown) expect(text).toBe(readFileSync(new URL(file as string, docs), 'utf8'));
});
