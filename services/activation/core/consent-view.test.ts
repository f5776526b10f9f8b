import { expect, it } from 'vitest';
import type { Consent } from '#schemas/generated/records.ts';
import { ConsentView } from './consent-view.ts';

const denied: Consent = { purpose: 'ads', state: 'denied', time: 1, source: 'web', policy_version: null };
const alive = (consents: Consent[]) => ({ consents, gone: false, into: null });
const gone = (into: string | null) => ({ consents: [], gone: true, into });

it('knows the newest consents of a profile', () => {
  const view = new ConsentView();
  expect(view.of('p')).toEqual([]);
  view.take('p', alive([denied]));
  expect(view.of('p')).toEqual([denied]);
  view.take('p', alive([]));
  expect(view.of('p')).toEqual([]);
});

it('asks the profile that took the place of one that is gone, also after its tombstone', () => {
  const view = new ConsentView();
  view.take('a', gone('b'));
  view.take('a', null);
  view.take('b', gone('c'));
  view.take('c', alive([denied]));
  expect(view.of('a')).toEqual([denied]);
});

it('asks a profile itself again when it has returned', () => {
  const view = new ConsentView();
  view.take('b', alive([]));
  view.take('a', gone('b'));
  view.take('a', alive([denied]));
  expect(view.of('a')).toEqual([denied]);
});

it('ends where profiles point at each other', () => {
  const view = new ConsentView();
  view.take('a', gone('b'));
  view.take('b', gone('a'));
  expect(view.of('a')).toEqual([]);
});
