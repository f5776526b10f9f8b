import { describe, expect, test } from 'vitest';
import { chainBetween, type Link } from './explain.ts';

const named = (hash: string) => ({ type: 'user_id', value: hash, hash });
const link = (one: string, other: string, received_at = '2026-01-01', claim_id = `${one}${other}`): Link => ({
  claim_id,
  kind: 'observed',
  one: named(one),
  other: named(other),
  source: 'web',
  message_id: 'm',
  received_at,
});
const claims = (from: string, to: string, links: readonly Link[]) =>
  chainBetween(from, to, links)?.map(({ claim_id }) => claim_id);

describe('chainBetween', () => {
  test('goes over links in either direction, and names both ends as they are walked', () => {
    expect(chainBetween('a', 'c', [link('b', 'a'), link('b', 'c')])).toMatchObject([
      { from: 'user_id:a', to: 'user_id:b', claim_id: 'ba' },
      { from: 'user_id:b', to: 'user_id:c', claim_id: 'bc' },
    ]);
  });
  test('takes the shortest way', () => {
    expect(claims('a', 'd', [link('a', 'b'), link('b', 'c'), link('c', 'd'), link('a', 'x'), link('x', 'd')])).toEqual([
      'ax',
      'xd',
    ]);
  });
  test('takes the earliest of several claims, whatever their order', () => {
    const early = link('a', 'b', '2026-01-01', 'early');
    const late = link('a', 'b', '2026-02-01', 'late');
    expect(claims('a', 'b', [late, early])).toEqual(['early']);
  });
  test('ends in circles, too', () => {
    expect(claims('a', 'z', [link('a', 'b'), link('b', 'c'), link('c', 'a')])).toBeUndefined();
  });
  test('is empty from an identifier to itself', () => {
    expect(chainBetween('a', 'a', [])).toEqual([]);
  });
});
