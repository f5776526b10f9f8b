import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStitched } from '#schemas/generated/records.ts';
import { baseEvent, identifier, inAnyOrder } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { combine } from './profile.ts';
import { empty, merge } from './tributary.ts';

const one = identifier(0);
const fold = (events: readonly EventStitched[]) =>
  events.map((event) => ofEvent(event, one, '')).reduce(merge, empty(one));
const contentOf = (...events: readonly EventStitched[]) => combine([fold(events)]);

const grouped = (id: string, timestamp: number, traits = '{}'): EventStitched => ({
  ...baseEvent,
  type: 'group',
  event: null,
  timestamp,
  payload: `{"groupId":${JSON.stringify(id)},"traits":${traits}}`,
});
const interaction = (timestamp: number, properties: Record<string, unknown>): EventStitched => ({
  ...baseEvent,
  event: 'Interaction',
  timestamp,
  payload: JSON.stringify({ properties }),
});

describe('groups of a person', () => {
  it('each with the newest of its calls, sorted', () => {
    const calls = [grouped('b', 2, '{"role":"cook"}'), grouped('a', 3), grouped('b', 1, '{"role":"boss"}')];
    const expected = [
      { group: 'a', traits: '{}', timestamp: 3, source: 'web' },
      { group: 'b', traits: '{"role":"cook"}', timestamp: 2, source: 'web' },
    ];
    expect(contentOf(...calls).groups).toEqual(expected);
    expect(contentOf(...calls.toReversed()).groups).toEqual(expected);
  });
  it('without what is too large, and a flag says so', () => {
    const large = JSON.stringify({ text: 'x'.repeat(limits.groupTraitBytes) });
    const content = contentOf(grouped('a', 1, large), grouped('g'.repeat(limits.groupText + 1), 1));
    expect(content).toMatchObject({ groups: [{ group: 'a', traits: '{}' }], flags: ['group_cut'] });
  });
  it('are no traits of the person, but those of the account', () => {
    const call = grouped('a', 1, '{"industry":"tea"}');
    expect(contentOf(call)).toMatchObject({ kind: 'person', traits: [] });
    expect(contentOf({ ...call, kind: 'account' })).toMatchObject({
      kind: 'account',
      traits: [{ name: 'industry', value: '"tea"' }],
      groups: [],
    });
  });
});

describe('interactions', () => {
  const states = (...events: readonly EventStitched[]) =>
    contentOf(...events).interactions.map(({ id, state }) => `${id} ${state}`);

  it('the newest of each id, those of now first', () => {
    const opened = interaction(1, { id: 'i', state: 'open', channel: 'phone', direction: 'inbound', agent: 'Ann' });
    const closed = interaction(3, { id: 'i', state: 'closed', channel: 'phone' });
    const other = interaction(2, { id: 'j', state: 'open' });
    expect(contentOf(opened).interactions).toEqual([
      { id: 'i', state: 'open', channel: 'phone', direction: 'inbound', agent: 'Ann', timestamp: 1, source: 'web' },
    ]);
    expect(states(opened, other, closed)).toEqual(['i closed', 'j open']);
    expect(states(closed, other, opened)).toEqual(['i closed', 'j open']);
  });
  it('at equal times closed wins', () => {
    const [open, closed] = [interaction(1, { id: 'i', state: 'open' }), interaction(1, { id: 'i', state: 'closed' })];
    expect([states(open, closed), states(closed, open)]).toEqual([['i closed'], ['i closed']]);
  });
  it('without an id each is its own, without a state it is over', () => {
    const mail = (message_id: string) => ({ ...interaction(1, { channel: 'email' }), message_id });
    expect(states(mail('m1'), mail('m2'))).toEqual(['m2 closed', 'm1 closed']);
  });
  it('what cannot be understood is left out, and a flag says so', () => {
    expect(contentOf(interaction(1, { id: 'i', state: 'pending' }))).toMatchObject({
      interactions: [],
      flags: ['interaction_unreadable'],
    });
  });
});

describe('of more than the limit the newest are kept, whatever order they come in', () => {
  const draws = fc.array(fc.tuple(fc.nat(99), fc.nat(400), fc.boolean()), { maxLength: 150, size: 'max' });
  /** The newest of each id, newest first. */
  const newestOf = (list: readonly (readonly [id: number, time: number, open: boolean])[]) => {
    const byId = new Map<string, { id: string; time: number; open: boolean }>();
    for (const [n, time, open] of list) {
      const id = `i${n}`;
      const known = byId.get(id);
      if (!known || time > known.time || (time === known.time && !open)) byId.set(id, { id, time, open });
    }
    return [...byId.values()].sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  };

  it('interactions', () => {
    fc.assert(
      fc.property(inAnyOrder(draws), ([list, parts]) => {
        const whole = parts
          .map((part) =>
            fold(part.map(([n, time, open]) => interaction(time, { id: `i${n}`, state: open ? 'open' : 'closed' }))),
          )
          .reduce(merge, empty(one));
        const all = newestOf(list);
        let closed = 0;
        const expected = all
          .slice(0, limits.interactions)
          .filter(({ open }) => open || ++closed <= limits.closedInteractions);
        const { interactions, flags } = combine([whole]);
        expect(interactions.map(({ id, timestamp, state }) => [id, timestamp, state])).toEqual(
          expected.map(({ id, time, open }) => [id, time, open ? 'open' : 'closed']),
        );
        expect(flags).toEqual(all.length > limits.interactions ? ['interactions_cut'] : []);
      }),
    );
  });

  it('groups', () => {
    fc.assert(
      fc.property(inAnyOrder(draws), ([list, parts]) => {
        const whole = parts
          .map((part) => fold(part.map(([n, time]) => grouped(`i${n}`, time))))
          .reduce(merge, empty(one));
        const all = newestOf(list);
        const { groups, flags } = combine([whole]);
        expect(groups.map(({ group, timestamp }) => [group, timestamp])).toEqual(
          all
            .slice(0, limits.groups)
            .map(({ id, time }) => [id, time])
            .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
        );
        expect(flags).toEqual(all.length > limits.groups ? ['groups_cut'] : []);
      }),
    );
  });
});
