import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { type DefinitionsFeed, followDefinitions } from '#shared/definitions/feed.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { createLog } from '#shared/service/log.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { createLinker } from '../../../services/identity-stitcher/linker.ts';
import { createResolver } from '../../../services/identity-stitcher/resolver.ts';
import { createProjector } from '../../../services/profile-projector/projector.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, secret, startCollector } from '../../support/collector-process.ts';
import { type ConsoleProcess, startConsole } from '../../support/console-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';

const page = readFileSync(new URL('../../../docs/identity.md', import.meta.url), 'utf8');
const [, shown = ''] = /```yaml\n(kind: identity_rules\n[\s\S]*?)```/.exec(page) ?? [];

let installation: Installation;
let warehouse: Warehouse;
let feed: DefinitionsFeed;
let runners: readonly TaskRunner[];
let running: Promise<unknown>;
let collector: CollectorProcess;
let api: ConsoleProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  warehouse = await openWarehouse(installation);
  const { kafka, codecs, prefix } = installation;
  await defineSources(installation, { till: { writeKeys: [{ key: 'till-key' }] } });
  await apply(shown);
  feed = await followDefinitions(kafka, codecs, prefix, createLog('test', 'silent'), () => undefined);
  const host = installation.host({ definitions: feed.current });
  const hashing = hashingWith(secret);
  const generation = 1;
  runners = [
    createResolver({ hashing, generation }),
    createLinker({ hashing, generation }),
    createProjector({ generation }),
  ].map((task) => new TaskRunner(task, host));
  running = Promise.all(runners.map((runner) => runner.run()));
  [collector, api] = await Promise.all([
    startCollector(addresses(), prefix),
    startConsole(addresses(), prefix, warehouse),
  ]);
  await collector.ready();
});
afterAll(async () => {
  await Promise.all([collector.stop(), api.stop(), ...runners.map((runner) => runner.stop())]);
  await running;
  await feed.stop();
  await warehouse.close();
  await installation.close();
});

async function apply(text: string): Promise<void> {
  const read = validateDefinitions(text, 'rules.yaml');
  if ('errors' in read) throw new Error(read.errors.join('\n'));
  const { kafka, codecs, prefix } = installation;
  const authorship = { actor: 'test', reason: 'rules of the page', at: Date.now() };
  await applyDefinitions({ kafka, codecs, prefix, partitions: 4, replication: 1 }, read.definitions, authorship);
}

async function send(...batch: readonly object[]): Promise<void> {
  const { status } = await fetch(`${collector.url}/v1/batch`, {
    method: 'POST',
    headers: { 'x-write-key': 'till-key' },
    body: JSON.stringify({ batch }),
  });
  expect(status).toBe(200);
}

const profileOf = async (reference: string) => {
  const { status, body } = await api.ask(`/v1/profiles/${encodeURIComponent(reference)}`);
  const { profile_id: id, identifiers = [] } = body as {
    profile_id?: string;
    identifiers?: { type: string; value: string }[];
  };
  return { status, id, identifiers: identifiers.map(({ type, value }) => `${type}:${value}`).sort() };
};

const collected = async (): Promise<EventCollected[]> =>
  (await readAll(installation, topics.eventsCollected)).flatMap(({ value }) => value ?? []);

test('phone, a type of one’s own and an external id of one person are one profile, found however they are written', async () => {
  await send(
    {
      type: 'identify',
      messageId: 'app',
      userId: 'ada-1',
      traits: { phone: '030 / 123 45 67', loyaltyCard: 'c-0012' },
    },
    {
      type: 'track',
      messageId: 'till',
      event: 'Paid',
      anonymousId: 'till-7',
      properties: { loyalty: { card: ' C-0012' } },
    },
    {
      type: 'identify',
      messageId: 'crm',
      context: { traits: { phone: '+49 (30) 1234567' }, externalIds: [{ id: '42', type: 'crm' }] },
    },
  );
  const all = [
    'anonymous_id:till-7',
    'external_id:crm:42',
    'loyalty_card:c-0012',
    'phone:+49301234567',
    'user_id:ada-1',
  ];
  await expect.poll(() => profileOf('user_id:ada-1')).toMatchObject({ identifiers: all });
  const ada = await profileOf('user_id:ada-1');
  const asked = [...all, 'phone:030/1234567', 'phone:+49 30 1234567', 'phone:0049301234567', 'loyalty_card:C-0012'];
  for (const reference of asked) await expect.poll(() => profileOf(reference), { message: reference }).toEqual(ada);
  expect((await profileOf('phone:1234')).status).toBe(400);
  expect((await profileOf('phone:+49 30 7654321')).status).toBe(404);
});

test('what is blocked or unusable identifies nobody, and stays on the event, in SQL too', async () => {
  const event = {
    type: 'track',
    messageId: 'blocked',
    event: 'Paid',
    userId: 'Till',
    anonymousId: 'till-8',
    properties: { loyalty: { card: 'c-test' }, number: 7 },
    context: {
      traits: { phone: '+49 30 1000000', email: 'info@shop.example' },
      externalIds: [{ id: 'null', type: 'crm' }],
    },
  };
  await send(event, { ...event, messageId: 'nobody', anonymousId: '0000-0000' });
  await until('its profile is there', async () => (await profileOf('anonymous_id:till-8')).status === 200);
  expect((await profileOf('anonymous_id:till-8')).identifiers).toEqual(['anonymous_id:till-8']);
  for (const reference of ['user_id:till', 'user_id:Till', 'loyalty_card:c-test', 'phone:030 1000000'])
    expect((await profileOf(reference)).status, reference).toBe(404);

  const query = `SELECT user_id, payload, toString(properties.loyalty.card) AS card, toString(context.traits.phone) AS phone
                 FROM {db}.events WHERE message_id = 'blocked'`;
  await until('ClickHouse has it', async () => (await warehouse.rows(query)).length === 1);
  const [row] = await warehouse.rows<{ payload: string }>(query);
  expect(row).toMatchObject({ user_id: 'Till', card: 'c-test', phone: '+49 30 1000000' });
  expect(JSON.parse(row?.payload as string)).toEqual(event);
  const rejected = (await readAll(installation, topics.eventsRejected)).map(({ value }) => value);
  expect(rejected.map((one) => [one?.message_id, one?.reason])).toEqual([['nobody', 'no_identifier']]);
});

test('an event is routed by the rules that it met, whatever they are later', async () => {
  const both = (messageId: string) => ({ type: 'page', messageId, userId: 'bob-1', anonymousId: 'bob-a' });
  const stamped = async (messageId: string): Promise<number | undefined> => {
    const event = (await collected()).find((one) => one.message_id === messageId);
    return event?.definitions.find(({ definition }) => definition === 'identity_rules/default')?.version;
  };
  await send(both('of version 1'));
  await apply(`${shown.replace('limit: 2', 'limit: 9\n      whenShared: device')}  sharedFrom: 2\n`);
  const userId = '    - { type: user_id }\n';
  await apply(shown.replace(userId, '').replace('  phoneCountry', `${userId}  phoneCountry`));
  let n = 0;
  await until('the collector knows the newest rules', async () => {
    n++;
    await send(both(`later ${n}`));
    return (await stamped(`later ${n}`)) === 3;
  });

  const routed = (await collected()).flatMap(({ message_id, definitions, identifiers }) => {
    const version = definitions.find(({ definition }) => definition === 'identity_rules/default')?.version;
    return /^(of version|later) /.test(message_id) ? [[version, identifiers.map(({ type }) => type).join()]] : [];
  });
  expect(routed).toContainEqual([1, 'user_id,anonymous_id']);
  expect(routed).toContainEqual([3, 'anonymous_id,user_id']);
  for (const [version, order] of routed)
    expect(order).toBe(version === 3 ? 'anonymous_id,user_id' : 'user_id,anonymous_id');
});
