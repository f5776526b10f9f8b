import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Consent, Tributary } from '#schemas/generated/records.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { baseEvent, events, identifier } from './arbitrary.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { changedFields, combine, nothing } from './profile.ts';
import { empty, merge } from './tributary.ts';

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
  it('are records that Kafka takes as they come: below a megabyte', () => {
    const list = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
    const name = (n: number, length: number): string => `${n}`.padEnd(length, '€');
    const value = JSON.stringify('x'.repeat(limits.traitValueBytes - 2));
    const source = 's'.repeat(50);
    const message_id = 'm'.repeat(100);
    const largest: Tributary = {
      ...empty(identifier(0)),
      events: 1,
      traits: list(limits.traits).map((n) => ({
        name: name(n, limits.traitName),
        value,
        timestamp: 1e13,
        message_id,
        source,
        sensitivity: 'personal',
      })),
      event_counts: list(limits.eventNames).map((n) => ({ event: name(n, limits.eventName), count: 1e9 })),
      consents: list(limits.consents).map((n) => ({
        purpose: name(n, 20),
        state: 'granted',
        time: 1e13,
        source,
        policy_version: '2026-01',
      })),
      sources: list(limits.sources).map(() => source),
      revenue: list(limits.currencies).map(() => ({ currency: 'USD', micros: '9'.repeat(30) })),
    };
    expect(typeOf('Tributary').toBuffer(largest).length).toBeLessThan(1_000_000);
    const profile = { profile_id: 'p', ...combine([largest]), version: 1, updated_at: 1 };
    const causes = list(limits.causes).map(() => message_id);
    const rest = { changed: Object.keys(nothing), causes, why: ['event'], gone: false, into: null, definitions: [] };
    expect(typeOf('Profile').toBuffer({ ...profile, ...rest, generation: 1 }).length).toBeLessThan(1_000_000);
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
      expect(changedFields(nothing, { ...nothing, [field]: [1] })).toEqual([field]);
    }
  });
});
