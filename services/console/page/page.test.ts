import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** The page's modules are JavaScript, as browsers take them. */
const load = (name: string): Promise<unknown> => import(new URL(name, import.meta.url).href);

interface StreamEvent {
  readonly event: string;
  readonly data: string;
}
interface Row {
  readonly kind: string;
  readonly profile_id?: string;
  readonly former?: string;
  readonly into?: string;
  readonly accepted?: number;
  readonly moves?: readonly unknown[];
  readonly version?: { readonly version: number };
}
const { eventStreamParser } = (await load('./event-stream.mjs')) as {
  eventStreamParser(): (piece: string) => StreamEvent[];
};
const { Story } = (await load('./story.mjs')) as {
  Story: new () => { rows: Row[]; take(passing: object, now: number): Row | undefined };
};
const { curlOf, durationWords, readable, referencesOf, touchWords, valueWords } = (await load('./words.mjs')) as {
  curlOf(sending: { collectorUrl: string; writeKey: string }, call: string, body: unknown): string;
  durationWords(ms: number): string;
  readable(name: string): string;
  referencesOf(text: string): string[];
  touchWords(touch: Readonly<Record<string, string | null>>): string;
  valueWords(value: unknown): string;
};

describe('a stream of events', () => {
  const text =
    ': still here\n\nevent: passing\ndata: {"a": "b: c"}\n\ndata: one\ndata:two\n\nevent: hello\r\ndata: x\r\n\r\nevent: lost\n\n';
  const events = [
    { event: 'passing', data: '{"a": "b: c"}' },
    { event: 'message', data: 'one\ntwo' },
    { event: 'hello', data: 'x' },
  ];

  test('is read the same wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const parse = eventStreamParser();
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((place, i) => text.slice(places[i], place));
        expect(pieces.flatMap(parse)).toEqual(events);
      }),
    );
  });
});

const [early, late] = ['2026-01-01T00:00:01.000Z', '2026-01-01T00:00:02.000Z'];
const event = (what: string, more: object) => ({
  what,
  source: 's',
  type: 'track',
  event: 'E',
  received_at: early,
  ...more,
});
const profile = (profile_id: string, version: number, updated_at: string, more: object) => ({
  ...{
    what: 'profile',
    profile_id,
    version,
    updated_at,
    changed: [],
    why: ['event'],
    causes: [],
    gone: false,
    into: null,
  },
  ...more,
});
const told = (...passing: object[]): Row[] => {
  const story = new Story();
  for (const one of passing) story.take(one, 0);
  return story.rows;
};

describe('the story', () => {
  const way = [
    event('accepted', { message_id: 'm' }),
    event('stitched', { message_id: 'm', profile_id: 'p' }),
    profile('p', 3, early, { causes: ['m'] }),
  ];

  test.each([
    ['in order', [0, 1, 2]],
    ['the profile first of what follows', [0, 2, 1]],
    ['stitched before it is accepted', [1, 0, 2]],
  ])('is one row of an event and what became of it: %s', (_, order) => {
    const rows = told(...order.map((i) => way[i] as object));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ kind: 'event', accepted: 1, profile_id: 'p', version: { version: 3 } });
  });

  const moved = {
    what: 'moved',
    decided_at: late,
    profile_id: 'b',
    to_profile_id: 'a',
    identifier: 'x:b',
    other: 'x:a',
    reason: 'linked',
  };
  const gone = profile('b', 2, late, { gone: true, into: 'a', why: ['regroup'] });
  const grown = profile('a', 2, late, { why: ['regroup'] });

  test.each([
    ['the reason first', [moved, gone, grown]],
    ['the end of the one first', [gone, moved, grown]],
  ])('is one row of two people who become one: %s', (_, passing) => {
    const rows = told(profile('b', 1, early, {}), ...passing);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ kind: 'joined', former: 'b', into: 'a', moves: [moved], version: { version: 2 } });
  });

  test('does not call somebody two people who was born of the event that told who it is', () => {
    const [row] = told(profile('b', 1, late, {}), moved, gone);
    expect(row).toMatchObject({ kind: 'joined', into: 'a' });
    expect(row?.former).toBeUndefined();
  });

  test('has an end', () => {
    const many = Array.from({ length: 500 }, (_, i) => event('accepted', { message_id: `m${i}` }));
    expect(told(...many)).toHaveLength(200);
  });
});

test.each([
  ['ann@example.com', ['email:ann@example.com', 'user_id:ann@example.com']],
  [' external_id:crm:42 ', ['external_id:crm:42']],
  ['030 1234567', ['user_id:030 1234567', 'phone:030 1234567', 'anonymous_id:030 1234567']],
  ['ada-1', ['user_id:ada-1', 'anonymous_id:ada-1']],
  ['', []],
])('%j may be meant as %j', (written, references) => {
  expect(referencesOf(written)).toEqual(references);
});

test('the command for a terminal is one whatever the event is called', () => {
  const command = curlOf({ collectorUrl: 'http://127.0.0.1:1', writeKey: 'key' }, 'track', { event: "it's $(here)" });
  expect(command).toContain(`-d '{"event":"it'\\''s $(here)"}'`);
});

test.each([
  ['orders_last_30_days', 'Orders last 30 days'],
  ['lifetimeValue', 'Lifetime value'],
  ['isVIP', 'Is VIP'],
  ['e-mail', 'E-mail'],
  ['sale_or_sharing', 'Sale or sharing'],
  ['Über.uns', 'Über uns'],
])('the name %s is read as %s', (name, words) => {
  expect(readable(name)).toBe(words);
});

test.each<[unknown, string]>([
  [true, 'Yes'],
  ['true', 'true'],
  [['a', 1.5], 'a, 1.5'],
  [1990, '1990'],
  [[], 'None'],
  [{ city: 'Graz' }, '{"city":"Graz"}'],
])('the value %j is told as %s', (value, words) => {
  expect(valueWords(value)).toBe(words);
});

test.each([
  [0, '0 s'],
  [29_999, '30 s'],
  [90_000, '2 min'],
  [3_660_000, '1 h 1 min'],
])('%d ms are %s', (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});

test.each([
  [
    { utm_campaign: 'spring', utm_source: 'letter', utm_medium: 'e-mail', referrer: null },
    'Campaign spring (letter, e-mail)',
  ],
  [
    { utm_campaign: null, utm_source: 'search', utm_medium: null, referrer: 'https://search.example/?q=1' },
    'search, from search.example',
  ],
  [{ utm_campaign: null, utm_source: null, utm_medium: null, referrer: null }, 'A campaign without a name'],
])('a touch %# is told in words', (touch, words) => {
  expect(touchWords(touch)).toBe(words);
});
