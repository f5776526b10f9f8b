import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { quietTopics, type Topic, topics } from '#schemas/topics.ts';
import { definitionsIn, laidOver } from '#shared/definitions/laid-over.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { referenceFold } from '../../deploy/local/sample/reference-fold.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { River } from '../support/river.ts';
import { feedOf } from '../support/river-checks.ts';
import { keepSendingIdentities, sendIdentities } from '../support/sent-identities.ts';
import { toolOf } from '../support/tool-of.ts';
import { waveOf } from '../support/wave.ts';

let platform: RunningPlatform;
let river: River;

beforeAll(async () => {
  const services = ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];
  platform = await startPlatform({ services });
  river = await River.open(platform.platform);
});
afterAll(async () => {
  await river?.close();
  await platform?.stop();
});

const tributary = (...args: string[]) => toolOf(platform, ...args);

/** Content by profile id. */
async function contentOf(topic: Topic & { readonly value: 'Profile' }): Promise<Map<string, string>> {
  const { profiles, broken } = feedOf(await river.records(topic));
  expect(broken, `versions on ${topic.name}`).toEqual([]);
  return asContent(profiles.values());
}
const asContent = (profiles: Iterable<Profile>): Map<string, string> =>
  new Map([...profiles].map((one) => [one.profile_id, canonicalProfile(one)]));
const differing = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] =>
  [...new Set([...one.keys(), ...other.keys()])].filter((id) => one.get(id) !== other.get(id)).sort();

test('rebuilt while the river runs, from recorded claims, and from the events alone: what is live, to the byte', async () => {
  const { collectorPort } = platform.platform.settings;
  await sendIdentities(collectorPort, 0);
  await river.send(waveOf(0));
  const endFlow = keepSendingIdentities(collectorPort, 1);
  const recorded = await tributary('replay', '--until-complete');
  const rebuilt = await tributary('replay', '--claims', 'rebuild', '--until-complete');
  expect([recorded, rebuilt]).toMatchObject([{ generation: 2 }, { generation: 3 }]);
  await endFlow();
  await river.quiet();
  for (const generation of ['2', '3']) await tributary('replay', 'resume', generation, '--until-complete');
  const live = await contentOf(topics.profiles);
  expect(live.size).toBeGreaterThan(500);
  expect(differing(await contentOf(quietTopics(2).profiles), live), 'recorded claims').toEqual([]);
  expect(differing(await contentOf(quietTopics(3).profiles), live), 'rebuilt claims').toEqual([]);
  const reference = await fold();
  expect(differing(live, asContent(reference.profiles.values())), 'what is live').toEqual([]);
}, 600_000);

test('with another rule and another trait: exactly what a fold of the same events under these gives', async () => {
  const file = join(platform.dataDir, 'what-if.yaml');
  writeFileSync(
    file,
    `kind: identity_rules
name: default
spec:
  types:
    - { type: user_id, limit: 1 }
    - { type: email, limit: 1 }
    - { type: phone, limit: 1 }
    - { type: external_id }
    - { type: anonymous_id, limit: 1 }
    - { type: device_id, limit: 1, links: weak }
    - { type: group_id, limit: 1, links: lookup }
---
kind: traits
name: orders
spec: { compute: { aggregate: count, of: { event: [Order Completed, Product Viewed] } } }
`,
  );
  const { generation } = await tributary('replay', '--with', file, '--until-complete');
  expect(generation).toBe(4);
  const found = await contentOf(quietTopics(4).profiles);
  const reference = asContent((await fold(file)).profiles.values());
  expect(differing(found, reference)).toEqual([]);
  const live = await contentOf(topics.profiles);
  expect(differing(found, live)).toEqual(differing(reference, live));
  expect(differing(found, live).length).toBeGreaterThan(50);
}, 300_000);

/** All that was collected, in one go, under the definitions in force, with those of a file laid over them. */
async function fold(file?: string) {
  const inForce = await river.definitions();
  return referenceFold(
    (await river.records(topics.eventsCollected)).flatMap(({ value, ...rest }) => (value ? [{ ...rest, value }] : [])),
    {
      hashing: river.hashing,
      generation: 1,
      definitions: file === undefined ? inForce : laidOver(inForce, definitionsIn(file)),
      now: Date.now(),
    },
  );
}
