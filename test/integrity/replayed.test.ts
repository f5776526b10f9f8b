import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Identifier, Profile, Tributary } from '#schemas/generated/records.ts';
import { quietTopics, type Topic, topics } from '#schemas/topics.ts';
import { definitionsIn, laidOver } from '#shared/definitions/laid-over.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { referenceFold } from '../../deploy/local/sample/reference-fold.ts';
import { merge } from '../../services/profile-projector/core/tributary.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { changeOnDisk } from '../support/projector-state.ts';
import { River } from '../support/river.ts';
import { feedOf } from '../support/river-checks.ts';
import { keepSendingIdentities, sendIdentities } from '../support/sent-identities.ts';
import { findingsOf, toolOf } from '../support/tool-of.ts';
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
  // By two at once it is shared.
  await Promise.all(['2', '2'].map((generation) => tributary('replay', 'resume', generation, '--until-complete')));
  await tributary('replay', 'resume', '3', '--until-complete');
  const live = await contentOf(topics.profiles);
  expect(live.size).toBeGreaterThan(500);
  expect(differing(await contentOf(quietTopics(2).profiles), live), 'recorded claims').toEqual([]);
  expect(differing(await contentOf(quietTopics(3).profiles), live), 'rebuilt claims').toEqual([]);
  const reference = await fold();
  expect(differing(live, asContent(reference.profiles.values())), 'what is live').toEqual([]);
}, 1_200_000);

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
}, 600_000);

test('each fault that is planted in the state of the live projector is found by what it says next, and named', async () => {
  const routed = new Map<string, number>();
  for (const { value } of river.stitched.values()) {
    const hash = value?.identifiers[0]?.hash ?? '';
    routed.set(hash, (routed.get(hash) ?? 0) + 1);
  }
  const { profiles } = feedOf(await river.records(topics.profiles));
  const victims = [...profiles.values()].flatMap((profile) => {
    const busy = (wanted: string) =>
      profile.identifiers.find(({ type, hash }) => type === wanted && (routed.get(hash) ?? 0) > 2);
    const [user, device] = [busy('user_id'), busy('anonymous_id')];
    return user && device && profile.traits.length > 0 ? [{ id: profile.profile_id, user, device }] : [];
  });
  const [changed, doubled, lost, copied, other] = victims.sort((a, b) => (a.id < b.id ? -1 : 1)) as [
    Victim,
    Victim,
    Victim,
    Victim,
    Victim,
  ];
  expect(victims.length).toBeGreaterThanOrEqual(5);

  const change = (id: string, how: (tributaries: Map<string, Tributary>) => void) =>
    changeOnDisk(river, platform.dataDir, id, ({ state, tributaries }) => {
      const held = new Map(tributaries);
      how(held);
      return { state: { ...state, members: [...held.keys()].sort() }, tributaries: held };
    });
  const of = (held: ReadonlyMap<string, Tributary>, { hash }: Identifier) => held.get(hash) as Tributary;
  await change(changed.id, (held) => {
    for (const [hash, one] of held)
      held.set(hash, { ...one, traits: one.traits.map((trait) => ({ ...trait, value: '"of somebody else"' })) });
  });
  await change(doubled.id, (held) => {
    const one = of(held, doubled.device);
    held.set(doubled.device.hash, merge(one, one));
  });
  let twice: Tributary | undefined;
  await change(copied.id, (held) => {
    twice = of(held, copied.device);
  });
  await change(other.id, (held) => held.set(copied.device.hash, twice as Tributary));
  await change(lost.id, (held) => held.delete(lost.device.hash));
  platform.kill('profile-projector');
  await platform.restarted('profile-projector');

  // With one more event each of them is told anew; that which counts twice goes on counting.
  const told = [changed.user, doubled.device, lost.user, other.user];
  await sendViews(told);
  await river.quiet();
  await tributary('replay', 'resume', '2', '--until-complete');
  const named = ({ type, value }: Identifier) => [`${type}:${value}`];
  const expected = [
    { profile_id: changed.id, reason: 'state', at: null, identifiers: [] },
    { profile_id: doubled.id, reason: 'doubled tributary', at: 'live', identifiers: named(doubled.device) },
    { profile_id: lost.id, reason: 'lost move', at: 'live', identifiers: named(lost.device) },
    { profile_id: other.id, reason: 'doubled tributary', at: 'live', identifiers: named(copied.device) },
  ];
  let found: readonly Found[] = [];
  const compare = async () => {
    const { profiles, reasons } = await findingsOf(platform, 'replay', 'compare', '2', '--plain');
    found = profiles as readonly Found[];
    const short = found.map(({ profile_id, reason, at, identifiers }) => ({ profile_id, reason, at, identifiers }));
    return { short, reasons };
  };
  // As soon as ClickHouse, which is asked which side is right, has the new events, too.
  await expect
    .poll(compare)
    .toEqual({ short: expected, reasons: { state: 1, 'doubled tributary': 2, 'lost move': 1 } });
  const paths = new Map(found.map((one) => [one.profile_id, one.differences.map(({ path }) => path)]));
  expect(paths.get(changed.id)?.filter((path) => !path.startsWith('traits.'))).toEqual([]);
  expect(paths.get(doubled.id)).toEqual(expect.arrayContaining(['event_counts', 'events']));
  expect(paths.get(lost.id)).toEqual(expect.arrayContaining(['events', 'identifiers']));

  const findings = JSON.stringify(await findingsOf(platform, 'doctor'));
  expect(findings).toContain('generation 2 has 4 profiles otherwise (1 state, 2 doubled tributary, 1 lost move)');
  expect(findings).toContain(`${doubled.id}: doubled tributary`);
}, 600_000);

interface Victim {
  readonly id: string;
  readonly user: Identifier;
  readonly device: Identifier;
}

/** A profile in the answer of `replay compare`. */
interface Found {
  readonly profile_id: string;
  readonly reason: string;
  readonly at: string | null;
  readonly identifiers: readonly string[];
  readonly differences: readonly { readonly path: string }[];
}

/** Each of these routes one more event. */
async function sendViews(identifiers: readonly Identifier[]): Promise<void> {
  const batch = identifiers.map(({ type, value }, n) => ({
    type: 'track',
    event: 'Product Viewed',
    messageId: `once-more-${n}`,
    ...(type === 'user_id' ? { userId: value } : { anonymousId: value }),
  }));
  const response = await fetch(`http://127.0.0.1:${platform.platform.settings.collectorPort}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('local-web:')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch }),
  });
  expect(response.status).toBe(200);
}

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
