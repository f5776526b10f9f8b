import { describe, expect, test } from 'vitest';
import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { claim } from '#shared/identity/linking/arbitrary.fixture.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesOf } from '#shared/identity/linking/rules.ts';
import { type Decision, planOf } from './decisions.ts';
import { previewOf, previewText } from './preview.ts';
import { Grouping } from './regrouping.ts';

const hash = (n: number): string => String(n).padStart(32, '0');
const identifier = (n: number, type: string): Identifier => ({ type, value: `v${n}`, hash: hash(n) });
const [ann, bob, email, cookie, stranger] = [
  identifier(1, 'user_id'),
  identifier(2, 'user_id'),
  identifier(3, 'email'),
  identifier(4, 'anonymous_id'),
  identifier(5, 'anonymous_id'),
] as [Identifier, Identifier, Identifier, Identifier, Identifier];

const observed = (receivedAt: number, ...identifiers: readonly Identifier[]): IdentityClaim =>
  claim('observed', identifiers, receivedAt);
const claims = new Map(
  [observed(1, ann, email), observed(2, bob), observed(3, cookie)].map((one) => [one.claim_id, one]),
);

function previewed(decision: Decision) {
  const areOne = (active: readonly IdentityClaim[], one: Identifier, other: Identifier): boolean => {
    const grouping = new Grouping(resolveAll(active, rulesOf(defaultIdentityRules)));
    return grouping.of(one).anchor === grouping.of(other).anchor;
  };
  const author = { actor: 'ann', reason: 'because', at: 10, generation: 1 };
  const plan = planOf(decision, author, { claims, areOne });
  return previewOf(decision, plan, { claims, rules: defaultIdentityRules, profileIdOf: (of) => `p${Number(of)}` });
}

describe('a preview', () => {
  test('tells what a link unites, who moves, and how large it gets', () => {
    const { preview, expected } = previewed({ verb: 'link', one: cookie, other: email });
    expect(preview).toMatchObject({
      writes: [{ kind: 'must_link', identifiers: ['email:v3', 'anonymous_id:v4'] }],
      claims: 1,
      united: [
        {
          parts: [
            { profile_id: 'p1', identifiers: 2 },
            { profile_id: 'p4', identifiers: 1 },
          ],
          into: { profile_id: 'p1', identifiers: 3 },
        },
      ],
      split: [],
      profiles_touched: 2,
      identifiers_moved: 1,
      largest: { profile_id: 'p1', identifiers: 3 },
      notes: [],
    });
    expect([...expected]).toEqual([[hash(4), 'p1']]);
    expect(previewText(preview, 7).split('\n').slice(1)).toEqual([
      'unites p1 (2) + p4 (1) → p1 (3)',
      'touches 2 profiles; moves 1 identifiers with 7 events',
      'the largest is then p1 (3)',
    ]);
  });

  test('tells what is split', () => {
    const { preview } = previewed({ verb: 'unlink', one: ann, other: email });
    expect(preview).toMatchObject({
      writes: [{ kind: 'cannot_link' }],
      split: [{ of: { profile_id: 'p1' }, parts: [{ profile_id: 'p1' }, { profile_id: 'p3' }] }],
      identifiers_moved: 1,
    });
    // What a person says is stronger than what events show: the address leaves its profile.
    expect(previewed({ verb: 'link', one: email, other: bob }).preview).toMatchObject({
      split: [{ of: { profile_id: 'p1' } }],
      united: [{ into: { profile_id: 'p3' } }],
      notes: [],
    });
    expect(previewed({ verb: 'withdraw', target: 'source:web' }).preview).toMatchObject({ claims: -3, split: [{}] });
  });

  test('warns that a link would break a limit, or is so already, or is about somebody never seen', () => {
    expect(previewed({ verb: 'link', one: ann, other: bob }).preview.notes).toEqual([
      { identifier: null, note: 'they stay two profiles: limit:user_id' },
    ]);
    expect(previewed({ verb: 'link', one: email, other: ann }).preview.notes).toMatchObject([
      { note: expect.stringContaining('one profile already') },
    ]);
    expect(previewed({ verb: 'link', one: email, other: stranger }).preview.notes).toMatchObject([
      { identifier: 'anonymous_id:v5', note: expect.stringContaining('never seen') },
    ]);
    expect(previewed({ verb: 'block', one: email }).preview.notes).toEqual([]);
  });
});
