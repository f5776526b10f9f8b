import { describe, expect, it } from 'vitest';
import type { EventStitched, Tributary } from '#schemas/generated/records.ts';
import { baseEvent, identifier } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';

const of = (event: Partial<EventStitched>): Tributary => ofEvent({ ...baseEvent, ...event }, identifier(0), 'USD');

describe('revenue', () => {
  const table: readonly (readonly [event: string, properties: string, revenue: string | undefined, flags?: string])[] =
    [
      ['Order Completed', '{"revenue":77.00,"currency":"EUR"}', 'EUR 77000000'],
      ['Order Completed', '{"revenue":"19.90","currency":"eur"}', 'EUR 19900000'],
      ['Order Completed', '{"revenue":0.1}', 'USD 100000'],
      ['Order Completed', '{"total":5,"value":6}', 'USD 5000000'],
      ['Order Completed', '{"value":6}', 'USD 6000000'],
      ['Order Completed', '{"revenue":null,"total":5}', 'USD 5000000'],
      ['Order Completed', '{"revenue":"free","total":5}', 'USD 5000000', 'revenue_unreadable'],
      ['Order Completed', '{"revenue":0,"total":5}', 'USD 0'],
      ['Order Completed', '{"revenue":1e400}', undefined, 'revenue_unreadable'],
      ['Order Completed', '{"revenue":1,"currency":"Euro"}', 'USD 1000000', 'currency_unreadable'],
      ['Order Completed', '{"revenue":1,"currency":978}', 'USD 1000000', 'currency_unreadable'],
      ['Order Completed', '{"revenue":1,"currency":null}', 'USD 1000000'],
      ['Order Completed', '{"products":[{"revenue":3}]}', undefined, 'product_unreadable'],
      ['Order Completed', '{}', undefined],
      ['Order Completed', '"none"', undefined],
      ['Order Refunded', '{"total":2.5}', 'USD -2500000'],
      ['Order Cancelled', '{"value":2.5}', 'USD -2500000'],
      ['order completed', '{"revenue":1}', undefined],
      ['Product Viewed', '{"revenue":1}', undefined],
    ];
  for (const [event, properties, revenue, flag] of table) {
    it(`${event} ${properties}: ${revenue}`, () => {
      const { revenue: amounts, flags } = of({ event, payload: `{"type":"track","properties":${properties}}` });
      expect(amounts.map(({ currency, micros }) => `${currency} ${micros}`)).toEqual(revenue ? [revenue] : []);
      expect(flags).toEqual(flag ? [flag] : []);
    });
  }

  it('only of track calls', () => {
    expect(of({ type: 'page', event: 'Order Completed', payload: '{"properties":{"revenue":1}}' }).revenue).toEqual([]);
  });
});

describe('traits', () => {
  const traits = (payload: string, type = 'identify'): Record<string, string> =>
    Object.fromEntries(of({ type, payload }).traits.map(({ name, value }) => [name, value]));

  it('those of the call, over those of its context, name by name; as sent', () => {
    expect(traits('{"context":{"traits":{"a":1,"b":2}},"traits":{"b":3.10,"c":{"d": [1,2]}}}')).toEqual({
      a: '1',
      b: '3.10',
      'c\0d': '[1,2]',
    });
    expect(traits('{"traits":{"b":3},"context":{"traits":{"b":2}}}')).toEqual({ b: '3' });
  });
  it('only of identify calls', () => {
    expect(traits('{"traits":{"b":3}}', 'group')).toEqual({});
    expect(traits('{"context":{"traits":{"b":3}}}', 'track')).toEqual({});
  });
  it('none where there is no object', () => {
    expect(traits('{"traits":[1],"context":null}')).toEqual({});
    expect(traits('{}')).toEqual({});
  });
  it('a name is a name: escapes are read, prototypes are not touched, lone surrogates replaced', () => {
    const names = of({ type: 'identify', payload: '{"traits":{"\\u0061":1,"__proto__":2,"\\ud800":3,"\\udfff":4}}' });
    expect(names.traits.map(({ name, value }) => [name, value])).toEqual([
      ['__proto__', '2'],
      ['a', '1'],
      ['\ufffd', '4'],
    ]);
  });
  it('with where they came from', () => {
    expect(
      of({ type: 'identify', payload: '{"traits":{"b":3}}', timestamp: 7, message_id: 'm7', source: 'ios' }).traits,
    ).toEqual([{ name: 'b', value: '3', timestamp: 7, message_id: 'm7', source: 'ios', sensitivity: 'none' }]);
  });
  it('a huge value or name is left out, and a flag says so', () => {
    const fits = JSON.stringify('x'.repeat(limits.traitValueBytes - 2));
    const bytes = JSON.stringify('é'.repeat(limits.traitValueBytes / 2));
    const name = 'n'.repeat(limits.traitName + 1);
    const part = of({ type: 'identify', payload: `{"traits":{"b":${bytes},"a":${fits},"${name}":1}}` });
    expect(part.traits.map((trait) => trait.name)).toEqual(['a']);
    expect(part.flags).toEqual(['trait_cut']);
  });
});

describe('the rest of an event', () => {
  it('counts under its name, else its type', () => {
    const counted = (type: string, event: string | null): string | undefined =>
      of({ type, event }).event_counts[0]?.event;
    expect(counted('track', 'Signed Up')).toBe('Signed Up');
    expect(counted('page', null)).toBe('page');
    expect(counted('screen', '')).toBe('screen');
  });
  it('long names are told apart by their beginning, without half a character', () => {
    const part = of({ event: `${'n'.repeat(limits.eventName - 1)}😀` });
    expect(part.event_counts[0]?.event).toBe(`${'n'.repeat(limits.eventName - 1)}\ufffd`);
    expect(part.flags).toEqual(['event_name_cut']);
  });
  it('first and last seen are corrected times, updated is received time', () => {
    expect(of({ timestamp: 5, original_timestamp: 4, received_at: 9 })).toMatchObject({
      first_seen: 5,
      last_seen: 5,
      updated_at: 9,
    });
  });
  it('consents are sorted, each purpose once', () => {
    const said = (purpose: string, state: string, time: number) => ({
      purpose,
      state,
      time,
      source: 's',
      policy_version: null,
    });
    const { consents } = of({ consents: [said('b', 'granted', 2), said('a', 'granted', 1), said('b', 'denied', 1)] });
    expect(consents.map(({ purpose, state }) => `${purpose} ${state}`)).toEqual(['a granted', 'b granted']);
  });
});
