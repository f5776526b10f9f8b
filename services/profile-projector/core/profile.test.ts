import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Consent, EventStitched, Profile } from '#schemas/generated/records.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { MOST_BYTES } from '#shared/task/encode-batch.ts';
import { baseEvent, events, identifier } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { changedFields, combine, nothing } from './profile.ts';
import { empty, merge } from './tributary.ts';
import { nextVersion, unborn } from './version.ts';

const order = (n: number, properties: string) =>
  ofEvent({ ...baseEvent, event: 'Order Completed', payload: `{"properties":${properties}}` }, identifier(n), 'USD');

describe('combine', () => {
  it('adds exactly: ten times 0.1 is 1', () => {
    const tributaries = Array.from({ length: 10 }, (_, n) => order(n, '{"revenue":0.1}'));
    expect(combine(tributaries).revenue).toEqual([{ currency: 'USD', amount: '1' }]);
  });

  it('lists every identifier, sorted by type and value, with or without events', () => {
    const content = combine([empty(identifier(4)), order(3, '{}'), order(1, '{}'), empty(identifier(2))]);
    expect(content.identifiers.map(({ type, value }) => `${type} ${value}`)).toEqual([
      'anonymous_id value 1',
      'anonymous_id value 4',
      'email value 2',
      'user_id value 3',
    ]);
  });

  it('has no trait that the newest event unsets, whichever comes first and whoever routes it', () => {
    const said = (n: number, timestamp: number, plan: string) =>
      ofEvent({ ...baseEvent, type: 'identify', timestamp, payload: `{"traits":{"plan":${plan}}}` }, identifier(n), '');
    const plans = (...parts: readonly ReturnType<typeof said>[]) => combine(parts).traits.map(({ value }) => value);
    const [set, unset, setAgain] = [said(1, 1, '"pro"'), said(2, 2, 'null'), said(1, 3, '"free"')];
    expect(plans(set)).toEqual(['"pro"']);
    expect([plans(set, unset), plans(unset, set)]).toEqual([[], []]);
    expect([plans(merge(set, setAgain), unset), plans(unset, merge(setAgain, set))]).toEqual([['"free"'], ['"free"']]);
  });

  it('does not depend on the order of the tributaries', () => {
    const shuffled = events({ identifiers: 6 })
      .map((list) => list.map((event, n) => ofEvent(event, identifier(n), 'USD')))
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(JSON.stringify(combine(other))).toBe(JSON.stringify(combine(list)));
      }),
    );
  });
});

describe('the largest profile and tributary', () => {
  const list = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
  /** Distinct, and of characters of three bytes. */
  const wide = (n: number, length: number): string => `${n}`.padEnd(length, '字');
  /** As long as the collector lets it be. */
  const messageId = (n: number): string => wide(n, 256);
  const source = (n: number): string => `${n}`.padEnd(64, 's');
  const consent = (n: number, time: number): Consent => ({
    purpose: wide(n, limits.consentText),
    state: 'granted',
    time,
    source: source(0),
    policy_version: wide(0, limits.consentText),
  });
  const text = wide(0, limits.touchText);
  const campaign = JSON.stringify({ source: text, medium: text, name: text, term: text, content: text, id: text });
  const product = (n: number): string =>
    JSON.stringify({ product_id: wide(n, limits.productText), name: wide(n, limits.productText), price: 1e15 });
  const most = Math.max(limits.traits, limits.eventNames, limits.sources, limits.consents, limits.currencies) + 50;
  /** More of everything than the limits let through, each as large as they let it be. */
  const hostile = list(most).flatMap((n): EventStitched[] => {
    const base = { ...baseEvent, message_id: messageId(n), source: source(n), timestamp: 1e13, received_at: 1e13 };
    const trait = JSON.stringify({ [wide(n, limits.traitName)]: 'x'.repeat(limits.traitValueBytes - 2) });
    const currency = String.fromCharCode(65 + (n % 26), 65 + (Math.floor(n / 26) % 26), 65);
    return [
      { ...base, type: 'identify', event: null, payload: `{"traits":${trait}}` },
      { ...base, event: wide(n, limits.eventName), consents: [consent(n, n)] },
      {
        ...base,
        event: 'Order Completed',
        payload: `{"properties":{"revenue":${'9'.repeat(18)}.999999,"currency":"${currency}","order_id":${n},"products":[${product(n)}]}}`,
      },
      {
        ...base,
        event: 'Interaction',
        payload: JSON.stringify({
          properties: {
            id: wide(n, limits.interactionText),
            state: 'open',
            channel: wide(n, limits.interactionText),
            direction: wide(n, limits.interactionText),
            agent: wide(n, limits.interactionText),
          },
        }),
      },
      {
        ...base,
        type: 'group',
        event: null,
        payload: `{"groupId":"${wide(n, limits.groupText)}","traits":{"a":"${'x'.repeat(limits.groupTraitBytes - 8)}"}}`,
      },
      ...list(48).map((half) => ({
        ...base,
        type: 'page',
        event: null,
        anonymous_id: 'a',
        timestamp: 1e12 + (n * 48 + half) * 1_800_000,
        payload: `{"context":{"campaign":${campaign}}}`,
      })),
    ];
  });
  const parts = hostile.map((event) => ofEvent(event, identifier(0), 'USD'));
  const largest = parts.reduce(merge);
  const others = list(1_000).map((n) => empty({ ...identifier(n + 1), type: 'external_id:x', value: wide(n, 256) }));

  it('are at their limits', () => {
    expect(largest.traits).toHaveLength(limits.traits);
    expect(largest.event_counts).toHaveLength(limits.eventNames);
    expect(largest.consents).toHaveLength(limits.consents);
    expect(largest.sources).toHaveLength(limits.sources);
    expect(largest.revenue).toHaveLength(limits.currencies);
    expect(largest.orders).toHaveLength(250);
    expect(largest.products).toHaveLength(limits.products);
    expect(largest.groups).toHaveLength(limits.groups);
    expect(largest.interactions).toHaveLength(limits.interactions);
    expect(largest.sessions.length).toBeGreaterThan(48 * (limits.sessionDays - 1));
    expect(combine([largest, ...others]).flags).toEqual([
      'consents_cut',
      'currencies_cut',
      'event_names_cut',
      'groups_cut',
      'identifiers_cut',
      'interactions_cut',
      'products_cut',
      'sessions_cut',
      'sources_cut',
      'traits_cut',
    ]);
    expect(parts.toReversed().reduce(merge)).toEqual(largest);
  });

  it('are records that the loop takes, also on the way to another profile', () => {
    const messageIds = list(limits.causes).map(messageId);
    const causes = {
      messageIds,
      byEvent: true,
      byRegroup: true,
      quarantined: true,
      time: 1e13,
      into: null,
      generation: 1,
      byWindow: false,
      byDefinition: false,
      byRetention: false,
      byReplay: false,
      computed: () => ({ told: [], epoch: 0, due: null }),
      sensitivities: {},
    };
    const { profile } = nextVersion('p'.repeat(36), unborn, [], [largest, ...others], [], causes);
    expect(typeOf('Profile').toBuffer(profile as Profile).length).toBeLessThan(MOST_BYTES);
    expect(typeOf('Tributary').toBuffer(largest).length).toBeLessThan(MOST_BYTES);
    const place = { profile_id: 'p'.repeat(36), version: 1e13 };
    const move = { ...place, tributary: largest, causes: messageIds, piece: 0, pieces: 1, generation: 1 };
    expect(typeOf('Move').toBuffer(move).length).toBeLessThan(MOST_BYTES);
  });
});

describe('traits', () => {
  it('those that take most are left out where all would take too many bytes, with where they came from', () => {
    const said = (n: number, timestamp: number, traits: unknown) =>
      ofEvent({ ...baseEvent, type: 'identify', timestamp, payload: JSON.stringify({ traits }) }, identifier(n), 'USD');
    const large = 'x'.repeat(limits.traitValueBytes - 2);
    const names = Array.from({ length: 196 }, (_, n) => `n${1_000 + n}`);
    const parts = [
      ...names.map((name, n) => said(n, n, { [name]: large })),
      said(200, 1, { a: { b: large, c: 1 }, z: 1 }),
      said(201, 2, { a: { c: 2 } }),
    ];
    const whole = combine(parts);
    const left = whole.traits.map(({ name }) => name);
    expect(left).toEqual([...names.slice(0, left.length - 1), 'z']);
    expect(left.length * (limits.traitValueBytes + 20)).toBeGreaterThan(limits.traitBytes - limits.traitValueBytes);
    expect(whole.traits.reduce((sum, { value }) => sum + value.length, 0)).toBeLessThan(limits.traitBytes);
    expect(whole).toMatchObject({ trait_origins: [], flags: ['traits_cut'] });
    expect(combine(parts.toReversed())).toEqual(whole);
    expect(combine(parts.slice(100)).trait_origins).toHaveLength(1);
  });
});

describe('identifiers', () => {
  it('the longest are left out where all would take too many bytes, whatever order they come in', () => {
    const long = Array.from({ length: 400 }, (_, n) =>
      empty({ ...identifier(n), type: 'email', value: `${n}`.padStart(300, '0') }),
    );
    const short = Array.from({ length: 100 }, (_, n) =>
      empty({ ...identifier(n + 400), type: 'user_id', value: `${n}` }),
    );
    const whole = combine([...long, ...short]);
    expect(whole.identifiers.filter(({ type }) => type === 'user_id')).toHaveLength(100);
    const bytes = 'email'.length + 300 + 32;
    expect(whole.identifiers.filter(({ type }) => type === 'email')).toHaveLength(
      Math.floor((limits.identifierBytes - 10 - 180 - 100 * ('user_id'.length + 32)) / bytes),
    );
    expect(whole.flags).toEqual(['identifiers_cut']);
    expect(combine([...short, ...long].reverse())).toEqual(whole);
    expect(combine(long.slice(0, 200)).flags).toEqual([]);
  });
});

describe('changed fields', () => {
  it('none between equal contents, by value', () => {
    fc.assert(
      fc.property(events(), (list) => {
        const content = combine(list.map((event, n) => ofEvent(event, identifier(n), 'USD')));
        expect(changedFields(content, structuredClone(content))).toEqual([]);
      }),
    );
  });

  it('none between a record as made and as a decoder gives it, methods and all', () => {
    const content = combine([
      ofEvent(
        {
          ...baseEvent,
          consents: [{ purpose: 'email', state: 'granted', time: 1, source: 'web', policy_version: null }],
        },
        identifier(0),
        'USD',
      ),
    ]);
    const type = typeOf('Consent');
    const decoded = content.consents.map((consent) => type.fromBuffer(type.toBuffer(consent)) as Consent);
    expect(changedFields(content, { ...content, consents: decoded })).toEqual([]);
    expect(changedFields({ ...content, consents: decoded }, content)).toEqual([]);
  });

  it('those that differ', () => {
    const before = order(0, '{"revenue":1}');
    const after = merge(before, ofEvent({ ...baseEvent, timestamp: 600 }, identifier(0), 'USD'));
    expect(changedFields(combine([before]), combine([after]))).toEqual(['event_counts', 'events', 'last_seen']);
    expect(changedFields(nothing, combine([before]))).toEqual([
      'event_counts',
      'events',
      'first_seen',
      'identifiers',
      'last_seen',
      'revenue',
      'sources',
    ]);
  });

  it('every field that could differ is looked at', () => {
    for (const field of Object.keys(nothing)) {
      const changed = changedFields(nothing, { ...nothing, [field]: [{ name: 'x', purpose: 'x' }] });
      expect(changed.map((path) => path.replace('.x', ''))).toEqual([field]);
    }
  });
});
