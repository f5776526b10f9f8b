import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { claim } from '#shared/identity/linking/arbitrary.fixture.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesOf } from '#shared/identity/linking/rules.ts';
import { activeClaims } from '#shared/identity/linking/withdrawals.ts';
import { type Decision, Impossible, planOf } from './decisions.ts';
import { Grouping } from './regrouping.ts';

const id = (n: number): string => String(n).padStart(32, '0');
const identifiers: readonly Identifier[] = [
  { type: 'user_id', value: 'one', hash: id(1) },
  { type: 'user_id', value: 'two', hash: id(2) },
  { type: 'email', value: 'a@b.co', hash: id(3) },
  { type: 'anonymous_id', value: 'cookie', hash: id(4) },
];
const [user, second, email, cookie] = identifiers as [Identifier, Identifier, Identifier, Identifier];

const observed = (one: Identifier, other: Identifier, receivedAt: number): IdentityClaim =>
  claim('observed', [one, other], receivedAt);

const areOne = (active: readonly IdentityClaim[], one: Identifier, other: Identifier): boolean => {
  const grouping = new Grouping(resolveAll(active, rulesOf(defaultIdentityRules)));
  return grouping.of(one).anchor === grouping.of(other).anchor;
};

/** A topic that somebody decides upon. */
class Topic {
  readonly claims: Map<string, IdentityClaim>;
  #at = 1_000;

  constructor(...claims: readonly IdentityClaim[]) {
    this.claims = new Map(claims.map((claim) => [claim.claim_id, claim]));
  }

  decide(decision: Decision, actor = 'ann') {
    const author = { actor, reason: 'because', at: this.#at++, generation: 1 };
    const plan = planOf(decision, author, { claims: this.claims, areOne });
    for (const claim of plan.writes) this.claims.set(claim.claim_id, claim);
    return plan;
  }

  /** Does what an undo says. */
  undo(commands: readonly (readonly string[])[]): void {
    for (const [verb, target] of commands) this.decide({ verb, target } as Decision);
  }

  /** What counts, without when it was said. */
  active(): string[] {
    return activeClaims(this.claims.values())
      .map(({ claim_id }) => claim_id)
      .sort();
  }

  areOne = (one: Identifier, other: Identifier): boolean => areOne(activeClaims(this.claims.values()), one, other);
}

describe('a decision', () => {
  test('links two identifiers by a claim, and unlinks them by its withdrawal alone', () => {
    const topic = new Topic(observed(cookie, email, 1));
    const linked = topic.decide({ verb: 'link', one: user, other: email });
    expect(linked.writes).toMatchObject([
      { kind: 'must_link', identifiers: [user, email], actor: 'ann', reason: 'because', received_at: 1_000 },
    ]);
    expect(topic.areOne(user, cookie)).toBe(true);
    const unlinked = topic.decide({ verb: 'unlink', one: email, other: user });
    expect(unlinked.writes).toMatchObject([{ kind: 'withdraw', target: `claim:${linked.writes[0]?.claim_id}` }]);
    expect(topic.areOne(user, cookie)).toBe(false);
    expect(topic.active()).toEqual(new Topic(observed(cookie, email, 1)).active());
  });

  test('keeps two apart that events have linked, and links them again by a withdrawal and a claim', () => {
    const topic = new Topic(observed(user, email, 1));
    const apart = topic.decide({ verb: 'unlink', one: user, other: email });
    expect(apart.writes.map(({ kind }) => kind)).toEqual(['cannot_link']);
    expect(topic.areOne(user, email)).toBe(false);
    expect(topic.decide({ verb: 'link', one: user, other: email }).writes.map(({ kind }) => kind)).toEqual([
      'withdraw',
      'must_link',
    ]);
    expect(topic.areOne(user, email)).toBe(true);
    expect(topic.decide({ verb: 'unlink', one: user, other: email }, 'bob').writes).toMatchObject([
      { kind: 'withdraw' },
      { kind: 'cannot_link', actor: 'bob' },
    ]);
  });

  test('lets its own earlier claim count again instead of making it anew', () => {
    const topic = new Topic();
    const first = topic.decide({ verb: 'link', one: user, other: email });
    topic.decide({ verb: 'unlink', one: user, other: email });
    const again = topic.decide({ verb: 'link', one: user, other: email });
    expect(again.writes).toMatchObject([{ kind: 'withdraw', target: null, reason: 'because' }]);
    expect(topic.active()).toEqual(first.writes.map(({ claim_id }) => claim_id));
  });

  test('writes nothing that is so already', () => {
    const topic = new Topic();
    const link = { verb: 'link', one: user, other: email } as const;
    const block = { verb: 'block', one: cookie } as const;
    for (const decision of [link, block]) topic.decide(decision);
    for (const decision of [link, block]) expect(topic.decide(decision, 'bob')).toEqual({ writes: [], undo: [] });
    expect(topic.decide({ verb: 'unlink', one: second, other: cookie }).writes).toEqual([]);
    topic.decide({ verb: 'withdraw', target: 'source:web' });
    expect(topic.decide({ verb: 'withdraw', target: 'source:web' }).writes).toEqual([]);
  });

  test('has one withdrawal for one target, whoever makes it', () => {
    const topic = new Topic(observed(user, email, 1));
    const one = topic.decide({ verb: 'withdraw', target: 'actor:resolver-*' }, 'ann');
    expect(topic.active()).toEqual([]);
    const back = topic.decide({ verb: 'restore', target: 'actor:resolver-*' }, 'bob');
    expect(back.writes).toMatchObject([{ claim_id: one.writes[0]?.claim_id, target: null, actor: 'bob' }]);
    expect(topic.active()).toHaveLength(1);
  });

  test.each<[string, Decision, string]>([
    ['oneself', { verb: 'link', one: user, other: user }, 'the same identifier'],
    ['a claim that is not there', { verb: 'withdraw', target: `claim:${id(9)}` }, 'there is no claim'],
    ['what names no claims', { verb: 'withdraw', target: 'user_id:one' }, 'is named as'],
    ['what is not withdrawn', { verb: 'restore', target: 'source:web' }, 'is not withdrawn'],
  ])('refuses %s', (_, decision, message) => {
    expect(() => new Topic().decide(decision)).toThrow(message);
  });

  test('refuses a claim that would not count, and a withdrawal of a withdrawal', () => {
    const topic = new Topic();
    const { writes } = topic.decide({ verb: 'withdraw', target: 'actor:ann' }, 'bob');
    expect(() => topic.decide({ verb: 'block', one: cookie })).toThrow('actor:ann is withdrawn');
    expect(() => topic.decide({ verb: 'withdraw', target: `claim:${writes[0]?.claim_id}` })).toThrow(Impossible);
    expect(topic.decide({ verb: 'block', one: cookie }, 'bob').writes).toHaveLength(1);
  });
});

const pairs = fc
  .tuple(fc.constantFrom(...identifiers), fc.constantFrom(...identifiers))
  .filter(([one, other]) => one !== other);
const decisions: fc.Arbitrary<Decision> = fc.oneof(
  fc.tuple(fc.constantFrom('link', 'unlink'), pairs).map(([verb, [one, other]]) => ({ verb, one, other }) as Decision),
  fc.constantFrom(...identifiers).map((one): Decision => ({ verb: 'block', one })),
  fc
    .constantFrom('source:web', 'actor:bob', 'actor:resolver-*')
    .map((target): Decision => ({ verb: 'withdraw', target })),
);

test('what an undo says takes a decision back, whatever was decided before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(decisions, fc.constantFrom('ann', 'bob')), { minLength: 1, maxLength: 8 }),
      (before) => {
        const topic = new Topic(observed(user, email, 1), observed(email, cookie, 2));
        before.forEach(([decision, actor]) => {
          const was = topic.active();
          let plan: ReturnType<typeof planOf>;
          try {
            plan = topic.decide(decision, actor);
          } catch (error) {
            expect(error).toBeInstanceOf(Impossible);
            return;
          }
          const is = topic.active();
          topic.undo(plan.undo);
          expect(topic.active()).toEqual(was);
          topic.undo(
            [...plan.undo]
              .reverse()
              .map(([verb, target]) => [verb === 'restore' ? 'withdraw' : 'restore', target as string]),
          );
          expect(topic.active()).toEqual(is);
        });
      },
    ),
    { numRuns: 300 },
  );
});
