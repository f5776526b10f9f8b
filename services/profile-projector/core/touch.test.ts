import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStitched, Touch } from '#schemas/generated/records.ts';
import { baseEvent, identifier, inAnyOrder } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { combine } from './profile.ts';
import { touchOf } from './touch.ts';
import { empty, merge } from './tributary.ts';

const with_ = (context: string, rest: Partial<EventStitched> = {}): EventStitched => ({
  ...baseEvent,
  ...rest,
  payload: `{"context":${context}}`,
});

describe('a touch', () => {
  it('is a campaign, with the page that led here', () => {
    const campaign = '{"source":"news","medium":"email","name":"May","term":"t","content":"c","id":"7","extra":"x"}';
    const event = with_(`{"page":{"referrer":"https://mail.example/"},"campaign":${campaign}}`);
    expect(touchOf({ ...event, timestamp: 5, message_id: 'm5', source: 'ios' })).toEqual({
      timestamp: 5,
      message_id: 'm5',
      source: 'ios',
      referrer: 'https://mail.example/',
      utm_source: 'news',
      utm_medium: 'email',
      utm_campaign: 'May',
      utm_term: 't',
      utm_content: 'c',
      utm_id: '7',
    });
  });

  const none = [
    '{}',
    'null',
    '{"campaign":null}',
    '{"campaign":{}}',
    '{"campaign":{"source":""}}',
    '{"campaign":{"source":7}}',
    '{"page":{"referrer":"https://mail.example/"}}',
  ];
  for (const context of none) it(`is not in ${context}`, () => expect(touchOf(with_(context))).toBeNull());
  it('is not in properties', () => {
    expect(touchOf({ ...baseEvent, payload: '{"properties":{"campaign":{"name":"x"}}}' })).toBeNull();
  });
  it('long texts are cut, at whole characters', () => {
    const name = `${'n'.repeat(limits.touchText - 1)}😀`;
    const touch = touchOf(with_(JSON.stringify({ campaign: { name } })));
    expect(touch?.utm_campaign).toBe(`${'n'.repeat(limits.touchText - 1)}\ufffd`);
  });
});

describe('first and last touch', () => {
  const one = identifier(0);
  const order = (a: Touch, b: Touch) => {
    const by = ({ timestamp, message_id, source, utm_campaign }: Touch) =>
      [timestamp, message_id, source, utm_campaign].join(' ');
    return by(a) < by(b) ? -1 : 1;
  };

  const landings = fc.array(
    fc
      .record({
        timestamp: fc.nat(3),
        message_id: fc.constantFrom('a', 'b', 'c'),
        source: fc.constantFrom('ios', 'web'),
        name: fc.constantFrom('"x"', '"y"', 'null'),
      })
      .map(({ name, ...rest }) => with_(`{"campaign":{"name":${name}}}`, rest)),
    { maxLength: 12 },
  );

  it('are the earliest and the latest event that has one, whatever order they come in', () => {
    fc.assert(
      fc.property(inAnyOrder(landings), ([list, parts]) => {
        const whole = parts
          .map((part) => part.map((event) => ofEvent(event, one, '')).reduce(merge, empty(one)))
          .reduce(merge, empty(one));
        const touches = list.map(touchOf).filter((touch) => touch !== null);
        touches.sort(order);
        expect(combine([whole]).first_touch).toEqual(touches[0] ?? null);
        expect(combine([whole]).last_touch).toEqual(touches.at(-1) ?? null);
      }),
    );
  });
});
