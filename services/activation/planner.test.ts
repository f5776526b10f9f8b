import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeliveryRequest, IdentityChange } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { type MemoryInput, memoryPartition, someMoment } from '#shared/task/memory.ts';
import { processInputs } from '#shared/task/process-inputs.ts';
import type { Task } from '#shared/task/task.ts';
import { Workspace } from '#shared/task/workspace.ts';
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
      suppressed: null,
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

  it('sends a group call once, not again for the group', async () => {
    const definitions = new Definitions([destination('shop', { subscribe: 'type = "group"' })]);
    const call = stitchedEvent({ type: 'group', event: null, payload: '{"type":"group","groupId":"acme"}' });
    const { outcomes } = await plan(definitions, ['shop'], call, {
      ...call,
      kind: 'account',
      message_id: 'm1:account',
    });
    expect(outcomes).toEqual({ planned: 1, filtered: 1 });
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

const LATER = Date.parse('2026-04-01T12:00:00Z');
const change = (kind: string, profile: string, reason = 'too_large'): MemoryInput => {
  const value: IdentityChange = {
    kind,
    profile_id: profile,
    identifier: { type: 'user_id', value: 'u1', hash: '0'.repeat(32) },
    to_profile_id: null,
    version: 7,
    other: null,
    reason,
    claim_ids: [],
    decided_at: 5_000,
    definitions: [],
    generation: 1,
  };
  return { input: 'change', key: profile, value, timestamp: LATER };
};
const order = (id: string, profile = 'p1', fields: object = {}): MemoryInput => {
  const value = stitchedEvent({ message_id: id, profile_id: profile, ...fields });
  return { input: 'event', key: profile, value, timestamp: value.received_at };
};
const shown = (emitted: readonly { readonly value: unknown }[]) =>
  emitted.map(({ value }) => {
    const { destination, message_id, suppressed } = value as DeliveryRequest;
    return `${destination} ${message_id}${suppressed ? ` ${suppressed}` : ''}`;
  });

const held = (requests: number, characters = 1e9) => ({ requests, characters });

describe('a profile in quarantine', () => {
  const definitions = new Definitions([destination('a'), destination('b')]);

  it('waits: its requests are held, and go out in order, as they would have, when it is released', async () => {
    const plain = memoryPartition(plannerTask(['a', 'b'], 1), 0);
    const inputs = ['m1', 'm2'].map((id) => order(id));
    const usual = await plain.run(inputs, definitions);

    const partition = memoryPartition(plannerTask(['a', 'b'], 1), 0);
    const held = await partition.run(
      [change('quarantined', 'p1'), ...inputs, order('m3', 'p2'), order('m4', 'p1', { event: 'Product Viewed' })],
      definitions,
    );
    expect(held.outcomes).toEqual({ quarantined: 1, held: 2, planned: 1, filtered: 1 });
    expect(shown(held.emitted)).toEqual(['a m3', 'b m3']);
    expect(partition.entries('quarantine')).toEqual([
      ['p1', { reason: 'too_large', since: 5_000, oldest: 0, next: 4, characters: expect.any(Number) }],
    ]);
    expect(partition.entries('held')).toHaveLength(4);

    const released = await partition.run([change('released', 'p1'), order('m5')], definitions);
    expect(released.outcomes).toEqual({ released: 1, planned: 1 });
    expect(released.emitted.slice(0, 4).map(({ value }) => value)).toEqual(usual.emitted.map(({ value }) => value));
    // What waited for long must not come too old for its topic.
    expect(new Set(released.emitted.slice(0, 4).map(({ timestamp }) => timestamp))).toEqual(new Set([LATER]));
    expect(shown(released.emitted.slice(4))).toEqual(['a m5', 'b m5']);
    expect([partition.entries('quarantine'), partition.entries('held')]).toEqual([[], []]);
  });

  it('keeps the newest; what gives way is put out to be written down, as suppressed', async () => {
    const partition = memoryPartition(plannerTask(['a'], 1, held(2)), 0);
    const ids = ['m1', 'm2', 'm3', 'm4'];
    const run = await partition.run([change('quarantined', 'p1'), ...ids.map((id) => order(id))], definitions);
    expect(shown(run.emitted)).toEqual(['a m1 quarantined', 'a m2 quarantined']);
    const released = await partition.run([change('released', 'p1')], definitions);
    expect(shown(released.emitted)).toEqual(['a m3', 'a m4']);
  });

  it('keeps no more than a transaction holds: many small ones, or few large ones, but always the newest', async () => {
    const large = (id: string, length: number) =>
      order(id, 'p1', {
        payload: { type: 'track', event: 'Order Completed', properties: { text: 'x'.repeat(length) } },
      });
    const partition = memoryPartition(plannerTask(['a'], 1, held(100, 10_000)), 0);
    const sizes = [3_000, 3_000, 500, 500, 6_000, 20_000, 4_000, 4_000];
    const run = await partition.run(
      [change('quarantined', 'p1'), ...sizes.map((size, n) => large(`m${n}`, size))],
      definitions,
    );
    expect(shown(run.emitted)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'].map((id) => `a ${id} quarantined`));
    const [, waiting] = partition.entries('quarantine')[0] as [string, { characters: number }];
    const lengths = partition.entries('held').map(([, value]) => (value as DeliveryRequest).event.length);
    expect(waiting.characters).toBe(lengths.reduce((sum, length) => sum + length, 0));
    const released = await partition.run([change('released', 'p1'), order('m8')], definitions);
    expect(shown(released.emitted)).toEqual(['a m6', 'a m7', 'a m8']);
  });

  it('keeps what waits when it is told again, and notes all other changes', async () => {
    const partition = memoryPartition(plannerTask(['a'], 1), 0);
    const none = await partition.run(
      [change('released', 'p1'), change('moved', 'p1'), { ...change('moved', 'p1'), value: null }],
      definitions,
    );
    expect(none).toMatchObject({ outcomes: { noted: 3 }, emitted: [] });
    await partition.run([change('quarantined', 'p1'), order('m1')], definitions);
    await partition.run([change('quarantined', 'p1', 'too_fast'), order('m2'), change('moved', 'p1')], definitions);
    expect(partition.entries('quarantine')).toMatchObject([['p1', { reason: 'too_fast', oldest: 0, next: 2 }]]);
    expect(shown((await partition.run([change('released', 'p1')], definitions)).emitted)).toEqual(['a m1', 'a m2']);
  });

  it('drops what waits for a destination that lost its topics', async () => {
    const before = memoryPartition(plannerTask(['a', 'b'], 1), 0);
    await before.run([change('quarantined', 'p1'), order('m1')], definitions);
    const after = memoryPartition(plannerTask(['b'], 1), 0);
    const work = new Workspace(plannerTask([], 1).stores, after.state, someMoment);
    for (const store of ['quarantine', 'held'])
      for (const [key, value] of before.entries(store)) work.put(store, key, value);
    after.state.apply(work);
    const released = await after.run([change('released', 'p1')], definitions);
    expect(shown(released.emitted)).toEqual(['b m1']);
    expect(after.entries('held')).toEqual([]);
  });

  it('is released with a commit of its own, where many have much that waits', async () => {
    const profiles = Array.from({ length: 40 }, (_, n) => `p${n}`);
    const partition = memoryPartition(plannerTask(['a'], 1, held(4)), 0);
    for (const profile of profiles) {
      const waiting = ['1', '2', '3', '4'].map((n) => order(`${profile}-${n}`, profile));
      await partition.run([change('quarantined', profile), ...waiting], definitions);
    }
    const task = plannerTask(['a'], 1, held(4)) as unknown as Task;
    const batch = profiles.map((profile, offset) => ({
      ...(change('released', profile) as MemoryInput & { value: unknown }),
      partition: 0,
      offset,
      timestamp: 0,
      raw: null,
    }));
    const commits: number[] = [];
    await processInputs(
      task,
      partition.state,
      batch,
      { definitions, signal: new AbortController().signal, moment: someMoment },
      {
        encode: (work) => work,
        commit: async (work) => {
          partition.state.apply(work);
          expect(work.rejected).toEqual([]);
          commits.push(work.emitted.length);
        },
      },
    );
    expect(commits.reduce((sum, count) => sum + count, 0)).toBe(160);
    expect(Math.max(...commits)).toBeLessThanOrEqual(5 * 4);
    expect(partition.entries('held')).toEqual([]);
  });

  it('quarantined and released at any steps: each event is planned exactly once, in order per profile', async () => {
    const profile = fc.constantFrom('p1', 'p2', 'p3');
    const steps = fc.array(
      fc.record({
        kind: fc.oneof(
          { arbitrary: fc.constant('event' as const), weight: 5 },
          { arbitrary: fc.constantFrom('quarantined' as const, 'released' as const, 'moved' as const), weight: 2 },
        ),
        profile,
        /** Whether the batch ends here. */
        ends: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(1, 2, 1_000), async (script, mostHeld) => {
        const partition = memoryPartition(plannerTask(['a', 'b'], 1, held(mostHeld)), 0);
        const emitted: string[] = [];
        const outcomes: Record<string, number> = {};
        let batch: MemoryInput[] = [];
        const run = async (): Promise<void> => {
          const done = await partition.run(batch, definitions);
          expect(done.rejected).toEqual([]);
          batch = [];
          emitted.push(...shown(done.emitted));
          for (const [name, count] of Object.entries(done.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
        };
        /** What must come out, told step by step; and what waits, by profile. */
        const expected: string[] = [];
        const waiting = new Map<string, string[]>();
        const play = (kind: string, id: string): void => {
          const queue = waiting.get(id);
          if (kind === 'quarantined') waiting.set(id, queue ?? []);
          else if (kind === 'released') {
            expected.push(...(queue ?? []));
            waiting.delete(id);
          } else if (kind === 'event') {
            const wanted = ['a', 'b'].map((name) => `${name} m${events}`);
            events++;
            if (!queue) expected.push(...wanted);
            for (const one of queue ? wanted : []) {
              if (queue && queue.length === mostHeld) expected.push(`${queue.shift()} quarantined`);
              queue?.push(one);
            }
          }
        };
        let events = 0;
        for (const { kind, profile: id, ends } of script) {
          batch.push(kind === 'event' ? order(`m${events}`, id) : change(kind, id));
          play(kind, id);
          if (ends) await run();
        }
        await run();
        expect(emitted).toEqual(expected);
        expect(partition.entries('held')).toHaveLength([...waiting.values()].flat().length);
        for (const id of ['p1', 'p2', 'p3']) {
          batch.push(change('released', id));
          play('released', id);
        }
        await run();
        expect(emitted).toEqual(expected);
        expect(emitted.map((one) => one.replace(' quarantined', '')).sort()).toEqual(
          Array.from({ length: events }, (_, n) => [`a m${n}`, `b m${n}`])
            .flat()
            .sort(),
        );
        expect((outcomes.planned ?? 0) + (outcomes.held ?? 0)).toBe(events);
        expect([partition.entries('quarantine'), partition.entries('held')]).toEqual([[], []]);
      }),
      { numRuns: 400 },
    );
  });
});
