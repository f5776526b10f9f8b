import { describe, expect, test } from 'vitest';
import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { claim, identifier } from './arbitrary.fixture.ts';
import type { Caps } from './graph.ts';
import { resolveAll } from './one-shot.ts';
import { rulesOf } from './rules.ts';

const rules = rulesOf(defaultIdentityRules);
const [alice, bob] = ['alice', 'bob'].map((value) => identifier('user_id', value)) as [Identifier, Identifier];
const [laptop, phone] = ['laptop', 'phone'].map((value) => identifier('anonymous_id', value)) as [
  Identifier,
  Identifier,
];
const mail = identifier('email', 'alice@example.org');

const groupsOf = (claims: readonly IdentityClaim[], of = rules, caps?: Caps): string[][] =>
  resolveAll(claims, of, caps)
    .map(({ members }) => members.map(({ identifier: { value } }) => value).sort())
    .sort();
const anchorOf = (claims: readonly IdentityClaim[], of: Identifier): string | undefined =>
  resolveAll(claims, rules).find(({ members }) => members.some((node) => node.identifier.hash === of.hash))?.anchor
    .identifier.value;

describe('limits', () => {
  test('one user id per profile: the earlier link wins, the later is refused', () => {
    const claims = [claim('observed', [alice, laptop], 1), claim('observed', [bob, laptop], 2)];
    expect(groupsOf(claims)).toEqual([['alice', 'laptop'], ['bob']]);
  });

  test('an alias is stronger than an earlier observation', () => {
    const claims = [claim('observed', [alice, laptop], 1), claim('alias', [bob, laptop], 2)];
    expect(groupsOf(claims)).toEqual([['alice'], ['bob', 'laptop']]);
  });

  test('must_link is stronger than an alias', () => {
    const claims = [claim('alias', [alice, laptop], 1), claim('must_link', [bob, laptop], 2)];
    expect(groupsOf(claims)).toEqual([['alice'], ['bob', 'laptop']]);
  });

  test('types of high priority are united first: who logs in with an address is its owner, whoever used the cookie', () => {
    const claims = [
      claim('observed', [laptop, mail], 1),
      claim('observed', [bob, laptop], 1),
      claim('observed', [alice, mail], 2),
    ];
    expect(groupsOf(claims)).toEqual([
      ['alice', 'alice@example.org'],
      ['bob', 'laptop'],
    ]);
  });

  test('of two people on a cookie it belongs to the first, by when it happened', () => {
    const late = (user: Identifier, receivedAt: number, occurredAt: number): IdentityClaim =>
      claim('observed', [user, laptop], receivedAt, 'web', 'resolver-0', occurredAt);
    expect(groupsOf([late(alice, 9, 1), late(bob, 2, 2)])).toEqual([['alice', 'laptop'], ['bob']]);
    expect(groupsOf([late(alice, 9, 3), late(bob, 2, 2)])).toEqual([['alice'], ['bob', 'laptop']]);
  });

  test('a type that links weakly gives way to all that link strongly', () => {
    const weak = rulesOf({
      ...defaultIdentityRules,
      types: defaultIdentityRules.types.map((type) => (type.type === 'email' ? { ...type, links: 'weak' } : type)),
    });
    const claims = [
      claim('observed', [alice, mail], 1),
      claim('observed', [mail, laptop], 1),
      claim('observed', [bob, laptop], 2),
    ];
    expect(groupsOf(claims, weak)).toEqual([
      ['alice', 'alice@example.org'],
      ['bob', 'laptop'],
    ]);
  });

  describe('with a window', () => {
    const day = 86_400_000;
    const mails = [0, 1, 2].map((n) => identifier('email', `${n}@example.org`)) as Identifier[];
    const groupsAfter = (days: readonly number[]): number =>
      groupsOf(mails.map((one, n) => claim('observed', [alice, one], (days[n] as number) * day))).length;

    test('two addresses a year are one person, a third within it is not', () => {
      expect(groupsAfter([0, 200, 364])).toBe(2);
      expect(groupsAfter([0, 200, 365])).toBe(1);
      expect(groupsAfter([365, 200, 0])).toBe(1);
    });

    test('whichever of them are one already', () => {
      const [a, b, c] = mails as [Identifier, Identifier, Identifier];
      const seen = [
        claim('observed', [a], 0),
        claim('observed', [b], 200 * day),
        claim('observed', [c], 364 * day),
        claim('observed', [alice], 0),
      ];
      const links = [claim('must_link', [a, c], 400 * day), claim('observed', [alice, a], 401 * day)];
      expect(groupsOf([...seen, ...links])).toHaveLength(2);
      expect(groupsOf([...seen, ...links, claim('observed', [alice, b], 402 * day)])).toHaveLength(2);
    });
  });

  test('no profile has more identifiers than the rules say', () => {
    const rules = rulesOf({ ...defaultIdentityRules, mostIdentifiers: 3 });
    const claims = [laptop, phone, mail].map((one, n) => claim('observed', [alice, one], n));
    expect(
      groupsOf(claims, rules)
        .map(({ length }) => length)
        .sort(),
    ).toEqual([1, 3]);
  });
});

describe('what people say', () => {
  test('cannot_link keeps two apart, however they would meet', () => {
    const claims = [
      claim('observed', [laptop, mail], 1),
      claim('observed', [mail, phone], 2),
      claim('cannot_link', [laptop, phone], 3, null, 'a person'),
    ];
    expect(groupsOf(claims)).toEqual([['alice@example.org', 'laptop'], ['phone']]);
  });

  test('cannot_link holds whichever of the two comes first in the order of hashes', () => {
    for (let n = 0; n < 20; n++) {
      const [one, other] = [identifier('email', `${n}`), identifier('anonymous_id', `${n}`)];
      const claims = [
        claim('cannot_link', [one, other], 1),
        claim('must_link', [one, laptop], 2),
        claim('must_link', [other, phone], 3),
        claim('observed', [laptop, phone], 4),
      ];
      expect(groupsOf(claims)).toHaveLength(2);
    }
  });

  test('a blocked identifier links nothing', () => {
    const claims = [
      claim('observed', [alice, mail], 1),
      claim('observed', [laptop, mail], 2),
      claim('block', [mail], 3, null, 'a person'),
    ];
    expect(groupsOf(claims)).toEqual([['alice'], ['alice@example.org'], ['laptop']]);
  });
});

describe('shared identifiers', () => {
  const visitors = Array.from({ length: 4 }, (_, n) => identifier('user_id', `visitor ${n}`));
  const together = (claims: readonly IdentityClaim[], of = rules): string[][] =>
    groupsOf(claims, of).filter((group) => group.length > 1);

  test('from four user ids on a cookie links nobody', () => {
    const onCookie = visitors.map((visitor, n) => claim('observed', [visitor, laptop], n));
    expect(together(onCookie.slice(0, 3))).toEqual([['laptop', 'visitor 0']]);
    expect(together(onCookie)).toEqual([]);
  });

  test('nor with four addresses, though nobody logs in; but a person may have many cookies', () => {
    const mails = Array.from({ length: 4 }, (_, n) => identifier('email', `${n}@example.org`));
    expect(together(mails.map((one, n) => claim('observed', [one, laptop], n)))).toEqual([]);
    const cookies = Array.from({ length: 9 }, (_, n) => identifier('anonymous_id', `cookie ${n}`));
    expect(together(cookies.map((one, n) => claim('observed', [alice, one], n)))[0]).toHaveLength(10);
  });

  test('a cookie that is to be a profile of its own is one as soon as two people have used it', () => {
    const device = rulesOf({
      ...defaultIdentityRules,
      types: defaultIdentityRules.types.map((type) =>
        type.type === 'anonymous_id' ? { ...type, whenShared: 'device' } : type,
      ),
    });
    const onCookie = visitors.slice(0, 2).map((visitor, n) => claim('observed', [visitor, laptop], n));
    expect(together(onCookie.slice(0, 1), device)).toEqual([['laptop', 'visitor 0']]);
    expect(together(onCookie, device)).toEqual([]);
  });

  test('more neighbours than the cap: out of the graph, with all its edges', () => {
    const devices = Array.from({ length: 4 }, (_, n) => identifier('device_id', `${n}`));
    const claims = devices.map((one, n) => claim('observed', [one, laptop], n));
    const caps = { shared: 3, kept: 9 };
    expect(groupsOf(claims.slice(0, 3), rules, caps)).toHaveLength(1);
    expect(groupsOf(claims, rules, caps)).toHaveLength(5);
    expect(groupsOf(claims, rules, { shared: 3, kept: 3 })).toHaveLength(5);
  });

  test('one of a type of which a profile may hold only one may have more', () => {
    const devices = Array.from({ length: 4 }, (_, n) => identifier('device_id', `${n}`));
    const claims = devices.map((one, n) => claim('observed', [one, alice], n));
    expect(groupsOf(claims, rules, { shared: 3, kept: 4 })).toHaveLength(1);
    expect(groupsOf(claims, rules, { shared: 3, kept: 3 })).toHaveLength(5);
    const two = rulesOf({ ...defaultIdentityRules, types: [{ type: 'user_id', limit: 2, links: 'strong' }] });
    expect(groupsOf(claims, two, { shared: 3, kept: 4 })).toHaveLength(5);
  });
});

describe('anchor', () => {
  test('is the oldest identifier; of equally old ones that of highest priority', () => {
    const pair = claim('observed', [alice, laptop], 5);
    expect(anchorOf([pair], laptop)).toBe('alice');
    expect(anchorOf([pair, claim('observed', [laptop], 4)], alice)).toBe('laptop');
  });
});

test('types that only look up link nothing', () => {
  const company = identifier('group_id', 'acme');
  expect(groupsOf([claim('observed', [alice, company], 1), claim('observed', [bob, company], 1)])).toHaveLength(3);
});

test('external ids of any system follow the rule for external_id', () => {
  expect(rules.rank('external_id:crm')).toBe(rules.rank('external_id'));
  expect(rules.rank('unheard of')).toBe(defaultIdentityRules.types.length);
  expect(rules.limit('unheard of')).toBe(5);
});
