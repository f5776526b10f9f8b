import { describe, expect, it } from 'vitest';
import type { Consent, Delivery, DeliveryDead, Profile } from '#schemas/generated/records.ts';
import { Definitions, type InForce } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { memoryPartition } from '#shared/task/memory.ts';
import type { Answer } from './core/answer.ts';
import { type Told, type WebhookPorts, webhookTask } from './webhook.ts';

const webhook = (changes: object = {}): InForce<'profile_webhook'> => ({
  kind: 'profile_webhook',
  name: 'crm',
  version: 4,
  body: definitionKinds.profile_webhook.parse({
    url: 'https://example.com/',
    secrets: [`whsec_${Buffer.alloc(24, 1).toString('base64')}`],
    ...changes,
  }),
});
const granted: Consent = { purpose: 'ads', state: 'granted', time: 1, source: 'web', policy_version: null };
const denied: Consent = { ...granted, state: 'denied', time: 2 };

async function run(
  records: readonly (readonly [key: string, value: Profile | null])[],
  options: {
    readonly definition?: InForce<'profile_webhook'>;
    readonly others?: readonly InForce[];
    readonly answer?: Answer;
    readonly ports?: Partial<WebhookPorts>;
  } = {},
) {
  const { definition = webhook(), answer = { kind: 'accepted', status: 200, body: 'ok', fields: ['version'] } } =
    options;
  const definitions = new Definitions([definition, ...(options.others ?? [])]);
  const sent: Told[] = [];
  const task = webhookTask(definition, 1, {
    send: async (told) => {
      sent.push(told);
      return answer;
    },
    consentsOf: async () => [],
    definitions: () => definitions,
    now: () => 5_000,
    random: () => 0,
    sleep: async () => {},
    signal: new AbortController().signal,
    unwanted: () => {},
    ...options.ports,
  });
  const inputs = records.map(([key, value]) => ({ input: 'profile', key, value, timestamp: 1_000 }));
  const { emitted, outcomes } = await memoryPartition(task, 0).run(inputs, definitions);
  const of = <T>(name: string) => emitted.filter(({ output }) => output === name).map(({ value }) => value as T);
  return { sent, outcomes, deliveries: of<Delivery>('delivery'), dead: of<DeliveryDead>('dead') };
}

describe('a webhook’s task', () => {
  it('sends the newest of each profile, and writes down under which id', async () => {
    const { sent, outcomes, deliveries } = await run([
      ['a', aProfile('a', 1)],
      ['b', aProfile('b', 7)],
      ['a', aProfile('a', 2)],
    ]);
    expect(sent.map(({ webhookId }) => webhookId)).toEqual(['a.2', 'b.7']);
    expect(JSON.parse(sent[0]?.body ?? '')).toMatchObject({
      type: 'profile.changed',
      timestamp: '1970-01-01T00:00:01.000Z',
      data: { profile_id: 'a', version: 2, events: 2, changed: ['events'], why: ['event'] },
    });
    expect(outcomes).toEqual({ delivered: 2, superseded: 1 });
    expect(deliveries[0]).toMatchObject({
      destination: 'crm',
      action: 'post',
      trigger: 'profile',
      profile_id: 'a',
      message_id: 'a.2',
      outcome: 'delivered',
      fields: ['version'],
      definitions: [{ definition: 'profile_webhook/crm', version: 4 }],
    });
  });

  it('sends no profile without the purposes that it needs, but always that one is no more', async () => {
    const { sent, deliveries } = await run(
      [
        ['a', aProfile('a', 1, { consents: [granted] })],
        ['b', aProfile('b', 1)],
        ['c', aProfile('c', 1, { consents: [granted, denied] })],
        ['d', aProfile('d', 2, { gone: true, into: 'a' })],
        ['e', null],
      ],
      { definition: webhook({ purposes: ['ads'] }) },
    );
    expect(sent.map(({ profile_id }) => profile_id).sort()).toEqual(['a', 'd', 'e']);
    expect(deliveries.map(({ outcome, reason, purposes }) => [outcome, reason, purposes])).toEqual([
      ['delivered', null, ['ads']],
      ['suppressed', 'consent_missing:ads', ['ads']],
      ['suppressed', 'consent_denied:ads', ['ads']],
      ['delivered', null, []],
      ['delivered', null, []],
    ]);
  });

  it('hears of a consent that was withdrawn while the version waited', async () => {
    const { sent, deliveries } = await run([['a', aProfile('a', 1, { consents: [granted] })]], {
      definition: webhook({ purposes: ['ads'] }),
      ports: { consentsOf: async () => [denied] },
    });
    expect(sent).toEqual([]);
    expect(deliveries).toMatchObject([{ outcome: 'suppressed', reason: 'consent_denied:ads' }]);
  });

  it.each([true, false])(
    'tells of computed traits what the definition in force lets it: sensitive %s',
    async (sensitive) => {
      const trait = (name: string, sensitivity: string): InForce<'traits'> => ({
        kind: 'traits',
        name,
        version: 1,
        body: definitionKinds.traits.parse({ sensitivity }),
      });
      const computed = ['ill', 'loyal'].map((name) => ({ name, value: 'true', definition_version: 1 }));
      const { sent } = await run([['a', aProfile('a', 1, { computed })]], {
        definition: webhook({ sensitive }),
        others: [trait('ill', 'sensitive'), trait('loyal', 'personal')],
      });
      const { data } = JSON.parse(sent[0]?.body ?? '');
      expect([data.computed, data.withheld]).toEqual(
        sensitive ? [{ ill: true, loyal: true }, undefined] : [{ loyal: true }, 1],
      );
    },
  );

  it('keeps what it gave up', async () => {
    const answer: Answer = { kind: 'declined', status: 400, body: 'no', retryAfterMs: null, fields: [] };
    const { dead, outcomes } = await run([['a', aProfile('a', 1)]], { answer });
    expect(outcomes).toEqual({ dead: 1 });
    expect(dead).toMatchObject([{ destination: 'crm', profile_id: 'a', reason: 'http_400', attempts: 1 }]);
  });

  it.each<[string, Parameters<typeof run>[1], number]>([
    ['is switched off', { definition: webhook({ enabled: false }) }, 0],
    ['is answered 410', { answer: { kind: 'declined', status: 410, body: '', retryAfterMs: null, fields: [] } }, 1],
  ])('settles nothing when it %s', async (_, options, told) => {
    const unwanted: number[] = [];
    const ports = { unwanted: ({ version }: InForce<'profile_webhook'>) => void unwanted.push(version) };
    await expect(run([['a', aProfile('a', 1)]], { ...options, ports })).rejects.toThrow('profile_webhook crm');
    expect(unwanted).toHaveLength(told);
  });
});
