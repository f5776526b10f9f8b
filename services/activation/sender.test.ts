import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Consent, Delivery, DeliveryDead, DeliveryRequest } from '#schemas/generated/records.ts';
import { Definitions, type InForce } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import { memoryPartition } from '#shared/task/memory.ts';
import { until } from '../../test/support/until.ts';
import type { Answer } from './core/answer.ts';
import type { DeliverPorts } from './deliver.ts';
import type { Send } from './destination.ts';
import { senderTask } from './sender.ts';

const destination = (changes: object = {}, version = 1): InForce => ({
  kind: 'destination',
  name: 'shop',
  version,
  body: definitionKinds.destination.parse({ type: 'webhook', action: 'send', subscribe: 'type = "track"', ...changes }),
});
const purpose = (name: string, fallback: 'granted' | 'denied'): InForce => ({
  kind: 'purpose',
  name,
  version: 3,
  body: { description: '', default: fallback },
});

const request = (key: string, profile = 'p1', changes: Partial<DeliveryRequest> = {}): DeliveryRequest => ({
  idempotency_key: key,
  destination: 'shop',
  action: 'send',
  trigger: 'event',
  profile_id: profile,
  message_id: `m-${key}`,
  routing: null,
  event: '{}',
  purposes: [],
  consents: [],
  suppressed: null,
  requested_at: 1_000,
  definitions: [],
  generation: 1,
  ...changes,
});
const inputs = (requests: readonly DeliveryRequest[]) =>
  requests.map((value) => ({ input: 'request', key: value.profile_id, value, timestamp: 1_000 }));

const accepted: Answer = { kind: 'accepted', status: 200, body: 'ok', fields: ['a', 'b'] };
const declined = (status: number, retryAfterMs: number | null = null): Answer => ({
  kind: 'declined',
  status,
  body: 'no',
  retryAfterMs,
  fields: ['a'],
});

function setUp(send: Send, definitions = new Definitions([destination()]), changes: Partial<DeliverPorts> = {}) {
  const waits: number[] = [];
  const ports: DeliverPorts = {
    send,
    consentsOf: async () => [],
    definitions: () => definitions,
    now: () => 5_000,
    random: () => 0,
    sleep: async (milliseconds) => void waits.push(milliseconds),
    signal: new AbortController().signal,
    ...changes,
  };
  const partition = memoryPartition(senderTask('shop', 1, ports), 0);
  const run = async (...requests: DeliveryRequest[]) => {
    const { emitted, outcomes } = await partition.run(inputs(requests));
    return {
      outcomes,
      deliveries: emitted.filter(({ output }) => output === 'delivery').map(({ value }) => value as Delivery),
      dead: emitted.filter(({ output }) => output === 'dead').map(({ value }) => value as DeliveryDead),
    };
  };
  return { run, waits, partition };
}

/** Answers in turn; the last one for ever. */
const answering = (...answers: Answer[]): Send & { sent: string[] } => {
  const sent: string[] = [];
  const send: Send = async ({ idempotency_key }) => {
    sent.push(idempotency_key);
    return (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
  };
  return Object.assign(send, { sent });
};

describe('the sender', () => {
  it('writes down a delivery: names of fields, never values', async () => {
    const { run } = setUp(answering(accepted), new Definitions([destination({}, 9)]));
    const { deliveries, dead, outcomes } = await run(request('k1'));
    expect(outcomes).toEqual({ delivered: 1 });
    expect(dead).toEqual([]);
    expect(deliveries).toEqual([
      {
        idempotency_key: 'k1',
        destination: 'shop',
        action: 'send',
        trigger: 'event',
        profile_id: 'p1',
        message_id: 'm-k1',
        outcome: 'delivered',
        reason: null,
        purposes: [],
        consents: [],
        fields: ['a', 'b'],
        attempts: 1,
        status: 200,
        answer: 'ok',
        requested_at: 1_000,
        finished_at: 5_000,
        definitions: [{ definition: 'destination/shop', version: 9 }],
        generation: 1,
      },
    ]);
  });

  it('only writes down what must not be sent, with the reason', async () => {
    const send = answering(accepted);
    const { deliveries, dead, outcomes } = await setUp(send).run(request('k1', 'p1', { suppressed: 'quarantined' }));
    expect(send.sent).toEqual([]);
    expect(outcomes).toEqual({ suppressed: 1 });
    expect(dead).toEqual([]);
    expect(deliveries).toMatchObject([
      { idempotency_key: 'k1', outcome: 'suppressed', reason: 'quarantined', attempts: 0 },
    ]);
  });

  it('tries again with growing waits, under the same key', async () => {
    const send = answering(declined(500), { kind: 'unreachable', code: 'ECONNREFUSED', fields: [] }, accepted);
    const { run, waits } = setUp(send);
    const { deliveries } = await run(request('k1'));
    expect(send.sent).toEqual(['k1', 'k1', 'k1']);
    expect(waits).toEqual([250, 500]);
    expect(deliveries).toMatchObject([{ outcome: 'delivered', attempts: 3 }]);
  });

  it('waits as long as it is asked to', async () => {
    const { run, waits } = setUp(answering(declined(429, 12_000), accepted));
    await run(request('k1'));
    expect(waits).toEqual([12_000]);
  });

  it('gives up at once what would be declined again, and keeps the request', async () => {
    const send = answering(declined(400));
    const { run } = setUp(send);
    const { deliveries, dead, outcomes } = await run(request('k1'));
    expect(send.sent).toHaveLength(1);
    expect(outcomes).toEqual({ dead: 1 });
    expect(deliveries).toMatchObject([{ outcome: 'dead', reason: 'http_400', status: 400, answer: 'no', attempts: 1 }]);
    expect(dead).toMatchObject([{ reason: 'http_400', message: 'HTTP 400 after 1 attempt', profile_id: 'p1' }]);
    expect(JSON.parse(String(dead[0]?.request))).toMatchObject({ idempotency_key: 'k1' });
  });

  it('gives up after as many attempts as the definition allows', async () => {
    const send = answering({ kind: 'timed_out', fields: ['a'] });
    const { run } = setUp(send, new Definitions([destination({ retry: { attempts: 3, initialMs: 1, maxMs: 2 } })]));
    const { deliveries, dead } = await run(request('k1'));
    expect(send.sent).toHaveLength(3);
    expect(deliveries).toMatchObject([{ outcome: 'dead', reason: 'timeout', attempts: 3, status: null }]);
    expect(dead).toHaveLength(1);
  });

  it('cuts a long answer', async () => {
    const { run } = setUp(answering({ ...accepted, body: 'x'.repeat(2_000) } as Answer));
    const { deliveries } = await run(request('k1'));
    expect(deliveries[0]?.answer).toHaveLength(500);
  });

  it('suppresses what there is no consent for, without an attempt', async () => {
    const send = answering(accepted);
    const definitions = new Definitions([destination({ purposes: ['ads'] }), purpose('ads', 'denied')]);
    const { run } = setUp(send, definitions);
    const granted: Consent = { purpose: 'ads', state: 'granted', time: 1, source: 'web', policy_version: null };
    const { deliveries, outcomes } = await run(request('k1'), request('k2', 'p2', { consents: [granted] }));
    expect(send.sent).toEqual(['k2']);
    expect(outcomes).toEqual({ suppressed: 1, delivered: 1 });
    expect(deliveries).toMatchObject([
      { outcome: 'suppressed', reason: 'consent_missing:ads', attempts: 0, purposes: ['ads'], fields: [] },
      { outcome: 'delivered', consents: [granted] },
    ]);
    expect(deliveries[0]?.definitions).toContainEqual({ definition: 'purpose/ads', version: 3 });
  });

  it('asks again before every attempt: a destination switched off during a back-off is left alone', async () => {
    let definitions = new Definitions([destination()]);
    const send = answering(declined(503), accepted);
    const { run } = setUp(send, definitions, {
      definitions: () => definitions,
      sleep: async () => {
        definitions = new Definitions([destination({ enabled: false }, 2)]);
      },
    });
    const { deliveries } = await run(request('k1'));
    expect(send.sent).toHaveLength(1);
    expect(deliveries).toMatchObject([
      { outcome: 'suppressed', reason: 'destination_disabled', attempts: 1, status: 503 },
    ]);
  });

  it('hears of a consent that was withdrawn during a back-off', async () => {
    const said = (state: string, time: number): Consent => ({
      purpose: 'ads',
      state,
      time,
      source: 'web',
      policy_version: null,
    });
    let now = [said('granted', 1)];
    const send = answering(declined(503), accepted);
    const { run } = setUp(send, new Definitions([destination({ purposes: ['ads'] })]), {
      consentsOf: async () => now,
      sleep: async () => {
        now = [said('denied', 2)];
      },
    });
    const { deliveries } = await run(request('k1', 'p1', { consents: [said('granted', 1)] }));
    expect(send.sent).toHaveLength(1);
    expect(deliveries).toMatchObject([
      { outcome: 'suppressed', reason: 'consent_denied:ads', attempts: 1, consents: [said('denied', 2)] },
    ]);
  });

  it('asks for consent when its turn has come, not when it began to wait for it', async () => {
    let state = 'granted';
    const sent: string[] = [];
    const send: Send = async ({ idempotency_key }) => {
      sent.push(idempotency_key);
      await Promise.resolve();
      state = 'denied';
      return accepted;
    };
    const definitions = new Definitions([destination({ purposes: ['ads'], concurrency: 1 })]);
    const { run } = setUp(send, definitions, {
      consentsOf: async () => [{ purpose: 'ads', state, time: 1, source: 'web', policy_version: null }],
    });
    const { outcomes } = await run(request('k1'), request('k2', 'p2'));
    expect(sent).toEqual(['k1']);
    expect(outcomes).toEqual({ delivered: 1, suppressed: 1 });
  });

  it('suppresses requests to a destination that no longer exists', async () => {
    const { run } = setUp(answering(accepted), new Definitions());
    const { deliveries } = await run(request('k1'));
    expect(deliveries).toMatchObject([{ outcome: 'suppressed', reason: 'destination_deleted' }]);
  });

  it('stops in the middle of a wait, and settles nothing: the batch is done again', async () => {
    const stop = new AbortController();
    const { partition } = setUp(answering(declined(500)), undefined, {
      signal: stop.signal,
      sleep: (_, signal) => {
        setImmediate(() => stop.abort());
        return sleep(3_600_000, undefined, { signal });
      },
    });
    await expect(partition.run(inputs([request('k1'), request('k2', 'p2')]))).rejects.toThrow(LostInfrastructure);
  });

  it('has ended every attempt before the batch is given back', async () => {
    const stop = new AbortController();
    let open = 0;
    const { partition } = setUp(
      async (_request, _destination, signal) => {
        open++;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await new Promise((resolve) => setTimeout(resolve, open));
        open--;
        throw signal.reason;
      },
      undefined,
      { signal: stop.signal },
    );
    const run = partition.run(inputs(['a', 'b', 'c'].map((name) => request(name, name))));
    setImmediate(() => stop.abort());
    await expect(run).rejects.toThrow(LostInfrastructure);
    expect(open).toBe(0);
  });

  it('holds no place while it waits: profiles that fail stop neither others nor other partitions', async () => {
    const stop = new AbortController();
    const send: Send = async ({ profile_id }) => (profile_id.startsWith('bad') ? declined(503) : accepted);
    const definitions = new Definitions([destination({ concurrency: 1 })]);
    const ports: DeliverPorts = {
      send,
      consentsOf: async () => [],
      definitions: () => definitions,
      now: () => 5_000,
      random: () => 0,
      sleep: (_, signal) => sleep(3_600_000, undefined, { signal }),
      signal: stop.signal,
    };
    const task = senderTask('shop', 1, ports);
    const failing = memoryPartition(task, 0).run(inputs([request('k1', 'bad1'), request('k2', 'bad2')]));
    let outcomes: unknown;
    const going = memoryPartition(task, 1).run(inputs([request('k3', 'good')]));
    void going.then((done) => {
      outcomes = done.outcomes;
    });
    await until('the good one is sent', () => outcomes !== undefined, 5_000);
    expect(outcomes).toEqual({ delivered: 1 });
    stop.abort();
    await expect(failing).rejects.toThrow(LostInfrastructure);
  });

  it('ends every request as exactly one delivery, in order per profile, within its concurrency', async () => {
    const answer = fc.constantFrom<Answer>(
      accepted,
      declined(400),
      declined(429, 5),
      declined(500),
      { kind: 'unreachable', code: 'ECONNRESET', fields: [] },
      { kind: 'timed_out', fields: [] },
      { kind: 'unsendable', reason: 'invalid_payload', message: 'bad', fields: [] },
    );
    const plan = fc.record({
      profiles: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 40 }),
      answers: fc.array(answer, { minLength: 1, maxLength: 120 }),
      ticks: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 20 }),
      attempts: fc.integer({ min: 1, max: 4 }),
      concurrency: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ profiles, answers, ticks, attempts, concurrency }) => {
        const requests = profiles.map((profile, i) => request(`k${i}`, `p${profile}`));
        const calls: { key: string; profile: string; answer: Answer }[] = [];
        const busy = new Set<string>();
        let most = 0;
        const send: Send = async ({ idempotency_key: key, profile_id: profile }) => {
          const n = calls.length;
          const reply = answers[n % answers.length] as Answer;
          calls.push({ key, profile, answer: reply });
          expect(busy.has(profile)).toBe(false);
          busy.add(profile);
          most = Math.max(most, busy.size);
          for (let i = 0; i < (ticks[n % ticks.length] as number); i++) await Promise.resolve();
          busy.delete(profile);
          return reply;
        };
        const retry = { attempts, initialMs: 1, maxMs: 2 };
        const { run } = setUp(send, new Definitions([destination({ retry, concurrency })]));
        const { deliveries, dead, outcomes } = await run(...requests);

        expect(deliveries.map((delivery) => delivery.idempotency_key)).toEqual(
          requests.map((one) => one.idempotency_key),
        );
        expect(outcomes.rejected).toBeUndefined();
        expect(most).toBeLessThanOrEqual(concurrency);
        const gone = deliveries.filter(({ outcome }) => outcome === 'dead').map((delivery) => delivery.idempotency_key);
        expect(dead.map((one) => one.idempotency_key)).toEqual(gone);
        for (const delivery of deliveries) {
          const mine = calls.filter(({ key }) => key === delivery.idempotency_key);
          expect(mine).toHaveLength(delivery.attempts);
          expect(delivery.outcome === 'delivered').toBe(mine.at(-1)?.answer.kind === 'accepted');
          expect(mine.slice(0, -1).every((call) => call.answer.kind !== 'accepted')).toBe(true);
        }
        for (const profile of new Set(profiles)) {
          const order = calls.filter((call) => call.profile === `p${profile}`).map(({ key }) => key);
          const wanted = requests.filter((one) => one.profile_id === `p${profile}`).map((one) => one.idempotency_key);
          expect(order.filter((key, i) => key !== order[i - 1])).toEqual(wanted);
        }
      }),
      { numRuns: 300 },
    );
  });
});
