import { describe, expect, test } from 'vitest';
import { type Knowledge, type Link, pairsOf, wayBetween } from './explain.ts';

const named = (hash: string) => ({ type: 'user_id', value: hash, hash });
const link = (one: string, other: string, received_at = '2026-01-01', claim_id = `${one}${other}`): Link => ({
  claim_id,
  kind: 'observed',
  one: named(one),
  other: named(other),
  source: 'web',
  message_id: 'm',
  received_at,
  actor: 'resolver-0',
  reason: null,
});
/** Each profile is a text of its identifiers. */
const profiles = (...groups: readonly string[]): Knowledge => ({
  profile: (hash) => groups.find((group) => group.includes(hash)),
  refusal: (one, other) => (`${one}${other}` === 'cd' ? 'limit:user_id' : undefined),
  rules: (hash) => (hash === 'a' ? null : 'identity_rules/default@2'),
});
const everything = profiles('abcdexyz');
const claims = (from: string, to: string, links: readonly Link[], knowledge = everything) =>
  wayBetween(from, to, links, knowledge)?.map(({ claim_id }) => claim_id);

describe('wayBetween', () => {
  test('goes over links in either direction, and names both ends as they are walked', () => {
    expect(wayBetween('a', 'c', [link('b', 'a'), link('b', 'c')], everything)).toMatchObject([
      { from: 'user_id:a', to: 'user_id:b', claim_id: 'ba', accepted: true, refused: null, claims: 1 },
      { from: 'user_id:b', to: 'user_id:c', claim_id: 'bc', rules: 'identity_rules/default@2' },
    ]);
    expect(wayBetween('b', 'a', [link('a', 'b')], everything)).toMatchObject([{ rules: 'identity_rules/default@2' }]);
  });
  test('takes the shortest way', () => {
    expect(claims('a', 'd', [link('a', 'b'), link('b', 'c'), link('c', 'd'), link('a', 'x'), link('x', 'd')])).toEqual([
      'ax',
      'xd',
    ]);
  });
  test('takes the strongest of several claims, then the earliest, whatever their order; and counts them', () => {
    const early = link('a', 'b', '2026-01-01', 'early');
    const late = link('b', 'a', '2026-02-01', 'late');
    expect(claims('a', 'b', [late, early])).toEqual(['early']);
    const said = { ...link('a', 'b', '2026-03-01', 'said'), kind: 'must_link' };
    expect(wayBetween('a', 'b', [late, early, said], everything)).toMatchObject([{ claim_id: 'said', claims: 3 }]);
  });
  test('makes a detour where that spares a refused link', () => {
    const way = [link('a', 'b'), link('b', 'x'), link('x', 'y'), link('y', 'd')];
    expect(claims('a', 'd', [...way, link('a', 'c'), link('c', 'd')], profiles('abxyd', 'c'))).toEqual([
      'ab',
      'bx',
      'xy',
      'yd',
    ]);
  });
  test('names the refused link where there is no other way, and its limit where it is known', () => {
    const links = [link('a', 'b'), link('b', 'c'), link('c', 'd'), link('d', 'e')];
    expect(wayBetween('a', 'e', links, profiles('abc', 'de'))).toMatchObject([
      { accepted: true },
      { accepted: true },
      { accepted: false, refused: 'limit:user_id', from: 'user_id:c', to: 'user_id:d' },
      { accepted: true },
    ]);
    expect(wayBetween('a', 'b', [link('a', 'b')], profiles('a', 'b'))).toMatchObject([
      { accepted: false, refused: null },
    ]);
  });
  test('goes over several refused links rather than none', () => {
    const links = [link('a', 'b'), link('b', 'c'), link('c', 'd'), link('a', 'x'), link('x', 'd')];
    expect(claims('a', 'd', links, profiles('a', 'b', 'c', 'd', 'x'))).toEqual(['ax', 'xd']);
  });
  test('ends in circles, too', () => {
    expect(claims('a', 'z', [link('a', 'b'), link('b', 'c'), link('c', 'a')])).toBeUndefined();
  });
  test('is empty from an identifier to itself', () => {
    expect(wayBetween('a', 'a', [], everything)).toEqual([]);
  });
});

test('a link of an identifier whose profile is not known is not accepted', () => {
  expect(pairsOf([link('a', 'b')], profiles()).map(({ accepted }) => accepted)).toEqual([false]);
});
