import { describe, expect, it } from 'vitest';
import type { DeliveryRequest } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { memoryPartition } from '#shared/task/memory.ts';
import { plannerTask } from './planner.ts';
import { stitchedEvent } from './stitched-event.fixture.ts';

const destination = (name: string, changes: object = {}, version = 1) => ({
  kind: 'destination' as const,
  name,
  version,
  body: definitionKinds.destination.parse({
    type: 'webhook',
    action: 'send',
    subscribe: 'type = "track" and event = "Order Completed"',
    ...changes,
  }),
});

const plan = (definitions: Definitions, names: string[], ...events: ReturnType<typeof stitchedEvent>[]) =>
  memoryPartition(plannerTask(names, 1), 0).run(
    events.map((value) => ({ input: 'event', key: value.profile_id, value, timestamp: value.received_at })),
    definitions,
  );

describe('the planner', () => {
  it('asks a destination for what it wants, keyed by profile, with all that the sender needs', async () => {
    const consent = { purpose: 'ads', state: 'granted', time: 1, source: 'web', policy_version: null };
    const event = stitchedEvent({
      consents: [consent],
      definitions: [{ definition: 'source/web', version: 4 }],
    });
    const { emitted, outcomes } = await plan(
      new Definitions([destination('shop', { purposes: ['ads'] }, 7)]),
      ['shop'],
      event,
    );
    expect(outcomes).toEqual({ planned: 1 });
    expect(emitted).toHaveLength(1);
    const [{ output, key, timestamp, value }] = emitted as [(typeof emitted)[0]];
    expect({ output, key, timestamp }).toEqual({ output: 'shop', key: 'p1', timestamp: event.received_at });
    const { event: text, idempotency_key, ...request } = value as DeliveryRequest;
    expect(idempotency_key).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.parse(text)).toMatchObject({ messageId: 'm1', properties: { revenue: 11.77 } });
    expect(request).toEqual({
      destination: 'shop',
      action: 'send',
      trigger: 'event',
      profile_id: 'p1',
      message_id: 'm1',
      routing: '0'.repeat(32),
      purposes: ['ads'],
      consents: [consent],
      requested_at: event.received_at,
      definitions: [
        { definition: 'source/web', version: 4 },
        { definition: 'destination/shop', version: 7 },
      ],
      generation: 1,
    });
  });

  it('filters what nobody wants, and counts it', async () => {
    const { emitted, outcomes } = await plan(
      new Definitions([destination('shop')]),
      ['shop'],
      stitchedEvent({ event: 'Product Viewed' }),
      stitchedEvent({ type: 'page', event: 'Home' }),
      stitchedEvent({}),
    );
    expect(outcomes).toEqual({ filtered: 2, planned: 1 });
    expect(emitted).toHaveLength(1);
  });

  it('gives an event to each destination that wants it, under keys of their own', async () => {
    const names = ['a', 'b', 'c'];
    const definitions = new Definitions([
      destination('a'),
      destination('b'),
      destination('c', { subscribe: 'type = "page"' }),
    ]);
    const { emitted, outcomes } = await plan(definitions, names, stitchedEvent({}));
    expect(emitted.map(({ output }) => output)).toEqual(['a', 'b']);
    expect(new Set(emitted.map(({ value }) => (value as DeliveryRequest).idempotency_key)).size).toBe(2);
    expect(outcomes).toEqual({ planned: 1 });
  });

  it('asks nothing of a destination that is disabled, deleted, or has no topic yet', async () => {
    const definitions = new Definitions([destination('off', { enabled: false }), destination('new')]);
    const { emitted, outcomes } = await plan(definitions, ['off', 'gone'], stitchedEvent({}));
    expect(emitted).toEqual([]);
    expect(outcomes).toEqual({ filtered: 1 });
  });

  it('goes on for the others when one subscription cannot be understood', async () => {
    // `apply` refuses it; a record of another version of the software may still hold it.
    const bad = destination('bad');
    const misunderstood = { ...bad, body: { ...bad.body, subscribe: 'please, all' } };
    const definitions = new Definitions([misunderstood, destination('good')]);
    const { emitted } = await plan(definitions, ['bad', 'good'], stitchedEvent({}));
    expect(emitted.map(({ output }) => output)).toEqual(['good']);
  });

  it('rejects only the event whose payload cannot be read', async () => {
    const definitions = new Definitions([destination('shop')]);
    const broken = { ...stitchedEvent({ message_id: 'm0' }), payload: '{' };
    const { emitted, outcomes, rejected } = await plan(definitions, ['shop'], stitchedEvent({}), broken);
    expect(outcomes).toEqual({ planned: 1, rejected: 1 });
    expect(rejected.map(({ reason }) => reason)).toEqual(['processing_failed']);
    expect(emitted).toHaveLength(1);
  });

  it('picks up a changed definition with the next batch', async () => {
    const partition = memoryPartition(plannerTask(['shop'], 1), 0);
    const input = { input: 'event', key: 'p1', value: stitchedEvent({}) };
    const first = await partition.run([input], new Definitions([destination('shop', { subscribe: 'type = "page"' })]));
    const second = await partition.run([input], new Definitions([destination('shop', {}, 2)]));
    expect([first.emitted.length, second.emitted.length]).toEqual([0, 1]);
  });
});
