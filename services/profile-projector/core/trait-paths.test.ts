import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStitched } from '#schemas/generated/records.ts';
import { baseEvent, identifier, inAnyOrder, traits } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { combine } from './profile.ts';
import { empty, merge } from './tributary.ts';

const one = identifier(0);
const said = (timestamp: number, text: string, message_id = `m${timestamp}`): EventStitched => ({
  ...baseEvent,
  type: 'identify',
  event: null,
  timestamp,
  message_id,
  payload: `{"traits":${text}}`,
});
const contentOf = (events: readonly EventStitched[]) =>
  combine([events.map((event) => ofEvent(event, one, '')).reduce(merge, empty(one))]);
const traitsOf = (...events: readonly EventStitched[]) =>
  Object.fromEntries(contentOf(events).traits.map(({ name, value }) => [name, value]));

/** By replaying what was said, in order of time: each value takes the place of what leads to it and of what is below it. */
function replayed(events: readonly EventStitched[]): unknown {
  const known = new Map<string, unknown>();
  const isWithin = (path: string[], other: string[]) => other.every((name, i) => path[i] === name);
  const say = (path: string[], value: unknown): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, inside] of Object.entries(value)) say([...path, name], inside);
      return;
    }
    for (const key of [...known.keys()]) {
      const other = JSON.parse(key) as string[];
      if (isWithin(other, path) || isWithin(path, other)) known.delete(key);
    }
    known.set(JSON.stringify(path), value);
  };
  for (const { payload } of [...events].sort((a, b) => a.timestamp - b.timestamp)) {
    say([], (JSON.parse(payload) as { traits: unknown }).traits);
  }
  const tree = new Map<string, unknown>();
  for (const [key, value] of known) {
    if (value === null) continue;
    const path = JSON.parse(key) as string[];
    const last = path.pop() as string;
    let at = tree;
    for (const name of path) {
      const inside = (at.get(name) as Map<string, unknown> | undefined) ?? new Map<string, unknown>();
      at.set(name, inside);
      at = inside;
    }
    at.set(last, value);
  }
  return plain(tree);
}

/** Objects as sorted entries, so that no name is special. */
const plain = (value: unknown): unknown =>
  value instanceof Map
    ? [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inside]) => [name, plain(inside)])
    : typeof value === 'object' && value !== null && !Array.isArray(value)
      ? plain(new Map(Object.entries(value)))
      : value;

describe('traits that are objects', () => {
  it('are what a replay in order of time gives, whatever order they come in', () => {
    const distinct = fc.array(traits, { maxLength: 8 }).map((texts) => texts.map((text, n) => said(n, text)));
    fc.assert(
      fc.property(inAnyOrder(distinct), ([list, parts]) => {
        const whole = parts
          .map((part) => part.map((event) => ofEvent(event, one, '')).reduce(merge, empty(one)))
          .reduce(merge, empty(one));
        const shown = combine([whole]).traits.map(({ name, value }): [string, unknown] => [name, JSON.parse(value)]);
        expect(plain(new Map(shown))).toEqual(replayed(list));
        expect(JSON.stringify(combine([whole]))).toBe(JSON.stringify(contentOf(list)));
      }),
      { numRuns: 500 },
    );
  });

  const table: readonly (readonly [what: string, said: readonly string[], shown: Record<string, string>])[] = [
    ['grow by their parts', ['{"a":{"c":"x"}}', '{"a":{"s":"y"}}'], { a: '{"c":"x","s":"y"}' }],
    ['give way to a later text', ['{"a":{"c":1}}', '{"a":"x"}'], { a: '"x"' }],
    ['take the place of an earlier text', ['{"a":"x"}', '{"a":{"c":1}}'], { a: '{"c":1}' }],
    ['do not come back with a text that hid them', ['{"a":{"c":1}}', '{"a":2}', '{"a":{"d":3}}'], { a: '{"d":3}' }],
    ['lose a part by null', ['{"a":{"c":1,"d":2}}', '{"a":{"c":null}}'], { a: '{"d":2}' }],
    ['lose all by null', ['{"a":{"c":1,"d":{"e":2}},"b":1}', '{"a":null}'], { b: '1' }],
    ['are gone with their last part', ['{"a":{"c":1}}', '{"a":{"c":null}}'], {}],
    ['have lists as values', ['{"a":{"c":[{"d":1}, 2]}}', '{"a":{"c":[3]}}'], { a: '{"c":[3]}' }],
    ['say nothing when they are empty', ['{"a":{"c":1},"b":{}}', '{"a":{}}'], { a: '{"c":1}' }],
    ['keep numbers as written', ['{"a":{"c":12345678901234567890.10}}'], { a: '{"c":12345678901234567890.10}' }],
    [
      'tell names with dots from parts',
      ['{"a.c":1,"a":{"c":2,"c.d":3}}', '{"a":{"c":{"d":4}}}'],
      { 'a.c': '1', a: '{"c":{"d":4},"c.d":3}' },
    ],
  ];
  for (const [what, texts, shown] of table) {
    it(what, () => {
      const events = texts.map((text, n) => said(n, text));
      expect(traitsOf(...events)).toEqual(shown);
      expect(traitsOf(...events.toReversed())).toEqual(shown);
    });
  }

  it('say where each part came from, where it is not the newest', () => {
    const { traits: shown, trait_origins } = contentOf([
      said(1, '{"a":{"city":"x","b/c~d":1},"b":2}'),
      said(2, '{"a":{"street":"y"}}'),
    ]);
    expect(shown.map(({ name, message_id, timestamp }) => [name, message_id, timestamp])).toEqual([
      ['a', 'm2', 2],
      ['b', 'm1', 1],
    ]);
    expect(trait_origins).toEqual([
      { path: '/a/b~1c~0d', timestamp: 1, message_id: 'm1', source: 'web' },
      { path: '/a/city', timestamp: 1, message_id: 'm1', source: 'web' },
    ]);
  });

  it('are cut part by part, those of the smallest paths stay', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`n${1_000 + n}`, n]));
    const { traits: shown, flags } = contentOf([said(1, JSON.stringify({ o: many })), said(2, '{"z":1}')]);
    expect(Object.keys(JSON.parse((shown[0] as { value: string }).value))).toEqual(
      Object.keys(many).slice(0, limits.traits),
    );
    expect(flags).toEqual(['traits_cut']);
  });

  it('a name that could be taken for a path is left out', () => {
    const { traits: shown, flags } = contentOf([said(1, '{"a\\u0000b":1,"a":{"c\\u0000d":2,"e":3}}')]);
    expect(shown.map(({ name, value }) => [name, value])).toEqual([['a', '{"e":3}']]);
    expect(flags).toEqual(['trait_cut']);
  });
});

describe('sensitivity', () => {
  it('is what definitions say of the name, of an object that of all of it', () => {
    const part = ofEvent(said(1, '{"a":{"c":1},"b":2}'), one, '');
    const sensitivities = combine([part], false, (name) => (name === 'a' ? 'sensitive' : 'personal')).traits;
    expect(sensitivities.map(({ name, sensitivity }) => [name, sensitivity])).toEqual([
      ['a', 'sensitive'],
      ['b', 'personal'],
    ]);
    expect(combine([part]).traits.map(({ sensitivity }) => sensitivity)).toEqual(['none', 'none']);
  });
});
