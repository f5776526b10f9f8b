import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Consent, Profile } from '#schemas/generated/records.ts';
import { ConsentView } from './consent-view.ts';

const denied: Consent = { purpose: 'ads', state: 'denied', time: 1, source: 'web', policy_version: null };
const granted: Consent = { ...denied, state: 'granted' };
type Told = Pick<Profile, 'consents' | 'identifiers' | 'gone'>;
const alive = (hashes: string, consents: readonly Consent[]): Told => ({
  consents,
  identifiers: [...hashes].map((hash) => ({ type: 'user_id', value: hash, hash })),
  gone: false,
});
const gone: Told = { consents: [], identifiers: [], gone: true };
const routedBy = (routing: string | null, profile_id = 'any') => ({ profile_id, routing });

it('knows the newest consents of whoever holds an identifier', () => {
  const view = new ConsentView();
  expect(view.of(routedBy('a'))).toEqual([]);
  view.take('p', alive('ab', [denied]));
  expect(view.of(routedBy('a'))).toEqual([denied]);
  view.take('p', alive('ab', []));
  expect(view.of(routedBy('a'))).toEqual([]);
});

it('asks the profile to which an identifier has gone', () => {
  const view = new ConsentView();
  view.take('a', alive('a', [granted]));
  view.take('a', gone);
  view.take('a', null);
  view.take('b', alive('ab', [denied]));
  expect(view.of(routedBy('a', 'a'))).toEqual([denied]);
});

it('does not ask those with whom it was before', () => {
  const view = new ConsentView();
  // The laptop went to Alice, and what is left of its own profile points at her; then it went on to Bob.
  view.take('laptop', gone);
  view.take('alice', alive('al', [granted]));
  view.take('alice', alive('a', [granted]));
  view.take('bob', alive('bl', [denied]));
  expect(view.of(routedBy('l', 'laptop'))).toEqual([denied]);
  expect(view.of(routedBy('l', 'alice'))).toEqual([denied]);
});

it('asks the profile itself where no identifier routed anything', () => {
  const view = new ConsentView();
  view.take('p', alive('ab', [denied]));
  expect(view.of(routedBy(null, 'p'))).toEqual([denied]);
  expect(view.of(routedBy(null, 'other'))).toEqual([]);
});

it('says in the end what the last records say, in whatever order profiles were read', () => {
  const record = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.subarray([...'abc']), fc.subarray([granted, denied])) },
    { weight: 1, arbitrary: fc.constantFrom(gone, null) },
  );
  const records = fc.array(fc.tuple(fc.constantFrom('p', 'q', 'r'), record), { maxLength: 20 });
  fc.assert(
    fc.property(records, (drawn) => {
      const view = new ConsentView();
      const last = new Map<string, Told>();
      for (const [id, one] of drawn) {
        const told = Array.isArray(one) ? alive(one[0].join(''), one[1]) : one;
        view.take(id, told);
        last.set(id, told ?? gone);
      }
      for (const hash of 'abc') {
        const holders = [...last.values()].filter(({ identifiers }) => identifiers.some((one) => one.hash === hash));
        const expected = holders.flatMap(({ consents }) => consents.map(({ state }) => state));
        expect(
          view
            .of(routedBy(hash))
            .map(({ state }) => state)
            .sort(),
        ).toEqual(expected.sort());
      }
    }),
  );
});
