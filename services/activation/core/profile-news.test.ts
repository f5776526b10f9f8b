import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { coalesce, type FeedRecord, type Interest } from './profile-news.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;

const profile = (version: number, changes: Partial<Profile> = {}): Profile =>
  aProfile('p', version, { causes: [`m${version}`], ...changes });
const record = (value: Profile | null, offset = value?.version ?? 99, timestamp = NOW): FeedRecord => ({
  partition: 3,
  offset,
  key: 'p',
  value,
  timestamp,
});
const gone = profile(5, { gone: true, into: 'q', changed: ['gone', 'into'], why: ['regroup'] });
const interest = (filter: Interest['filter'] = {}, sensitive = false): Interest => ({
  filter,
  sensitive,
  sensitiveTraits: new Map(),
});
const outcomesOf = (values: readonly (Profile | null)[], filter: Interest['filter'] = {}) => {
  const records = values.map((value) => record(value));
  const { told, others } = coalesce(records, interest(filter), NOW);
  return records.map((one) => (one === told?.record ? `told ${told.news.type}` : others.get(one)));
};

describe('what a webhook is told of a profile', () => {
  it('is the newest of what is at hand, with all that has changed since', () => {
    const records = [
      record(profile(1, { changed: ['traits'], why: ['regroup'] })),
      record(profile(2, { changed: ['consents', 'events'] })),
    ];
    const { told } = coalesce(records, interest(), NOW);
    expect(told?.record).toBe(records[1]);
    expect(told?.news).toMatchObject({
      id: 'p.2',
      type: 'profile.changed',
      data: { version: 2, changed: ['consents', 'events', 'traits'], why: ['event', 'regroup'], causes: ['m1', 'm2'] },
    });
  });

  it.each<[string, Interest['filter'], Partial<Profile>, boolean]>([
    ['nothing is filtered', {}, {}, true],
    ['a field that it wants has changed', { changed: ['traits'] }, { changed: ['traits'] }, true],
    ['a part of it has', { changed: ['traits'] }, { changed: ['traits.plan'] }, true],
    ['it is not said which part has', { changed: ['traits.plan'] }, { changed: ['traits'] }, true],
    ['another part has', { changed: ['traits.plan'] }, { changed: ['traits.planet'] }, false],
    ['another field has', { changed: ['traits'] }, { changed: ['events'] }, false],
    ['the reason is one that it wants', { why: ['window', 'event'] }, {}, true],
    ['the reason is another', { why: ['window'] }, {}, false],
    ['it is of another kind', { kinds: ['account'] }, {}, false],
    ['of the kind', { kinds: ['account'] }, { kind: 'account' }, true],
    ['it is out of quarantine', { changed: ['traits'], why: ['window'] }, { changed: ['flags'] }, true],
    ['it is back', { changed: ['traits'] }, { changed: ['gone', 'into'] }, true],
    ['it is back, of another kind', { kinds: ['account'] }, { changed: ['gone'] }, false],
  ])('when %s', (_, filter, changes, wanted) => {
    expect(outcomesOf([profile(1, changes)], filter)).toEqual([wanted ? 'told profile.changed' : 'filtered']);
  });

  it('is the newest also when only one before it is wanted', () => {
    expect(outcomesOf([profile(1, { changed: ['traits'] }), profile(2)], { changed: ['traits'] })).toEqual([
      'superseded',
      'told profile.changed',
    ]);
  });

  it('is what is so old that those before it may be compacted away, whatever it says has changed', () => {
    const filter = { changed: ['traits'], why: ['window'] };
    const told = (days: number) => coalesce([record(profile(9), 9, NOW - days * DAY)], interest(filter), NOW).told;
    expect(told(8)?.news.id).toBe('p.9');
    expect(told(6)).toBeUndefined();
  });

  it('is once that it is gone: the tombstone after it says nothing new, one by itself is an erasure', () => {
    expect(outcomesOf([profile(4), gone, null], { why: ['window'] })).toEqual([
      'superseded',
      'told profile.gone',
      'noted',
    ]);
    expect(outcomesOf([profile(4), null], { why: ['window'] })).toEqual(['superseded', 'told profile.erased']);
    expect(outcomesOf([gone, null, profile(6)])).toEqual(['superseded', 'noted', 'told profile.changed']);
    expect(coalesce([record(gone)], interest(), NOW).told?.news).toEqual({
      id: 'p.5',
      type: 'profile.gone',
      data: { profile_id: 'p', version: 5, into: 'q' },
    });
    expect(coalesce([record(null)], interest(), NOW).told?.news).toEqual({
      id: 'p.erased.3-99',
      type: 'profile.erased',
      data: { profile_id: 'p' },
    });
  });

  it('has what is sensitive only where the definition says so, and numbers as they came', () => {
    const trait = (name: string, value: string, sensitivity: string) => ({
      name,
      value,
      sensitivity,
      timestamp: 0,
      message_id: 'm',
      source: 's',
    });
    const traits = [trait('balance', '19.90', 'personal'), trait('illness', '"x"', 'sensitive')];
    const dataFor = (sensitive: boolean) =>
      JSON.stringify(coalesce([record(profile(1, { traits }))], interest({}, sensitive), NOW).told?.news.data);
    expect(dataFor(false)).toContain('"traits":{"balance":19.90},"withheld":1,');
    expect(dataFor(true)).toContain('"traits":{"balance":19.90,"illness":"x"},"computed"');
  });

  it('accounts for every record once, however they are divided', () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.record({ gone: fc.boolean(), kind: fc.constantFrom('person', 'account') }).map((one) => profile(1, one)),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        const records = values.map((one, offset) => record(one, offset));
        const { told, others } = coalesce(records, interest({ kinds: ['person'] }), NOW);
        expect(others.size + (told ? 1 : 0)).toBe(records.length);
        if (told) expect(others.has(told.record)).toBe(false);
      }),
    );
  });
});
