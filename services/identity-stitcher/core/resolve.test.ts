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

  test('a type that links weakly gives way to one that links strongly', () => {
    const weak = rulesOf({
      ...defaultIdentityRules,
      types: defaultIdentityRules.types.map((type) => (type.type === 'email' ? { ...type, links: 'weak' } : type)),
    });
    const claims = [
      claim('observed', [alice, mail], 1),
      claim('observed', [mail, laptop], 1),
      claim('observed', [bob, laptop], 2),
    ];
    expect(groupsOf(claims)).toEqual([['alice', 'alice@example.org', 'laptop'], ['bob']]);
    expect(groupsOf(claims, weak)).toEqual([
      ['alice', 'alice@example.org'],
      ['bob', 'laptop'],
    ]);
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
  const visitors = Array.from({ length: 8 }, (_, n) => identifier('user_id', `visitor ${n}`));

  test('from eight user ids on a device links nobody', () => {
    const onDevice = visitors.map((visitor, n) => claim('observed', [visitor, laptop], n));
    expect(groupsOf(onDevice.slice(0, 7)).filter((group) => group.length > 1)).toEqual([['laptop', 'visitor 0']]);
    expect(groupsOf(onDevice).filter((group) => group.length > 1)).toEqual([]);
  });

  test('more neighbours than the cap: out of the graph, with all its edges', () => {
    const mails = Array.from({ length: 4 }, (_, n) => identifier('email', `${n}@example.org`));
    const claims = mails.map((one, n) => claim('observed', [one, laptop], n));
    const caps = { shared: 3, kept: 9 };
    expect(groupsOf(claims.slice(0, 3), rules, caps)).toHaveLength(1);
    expect(groupsOf(claims, rules, caps)).toHaveLength(5);
    expect(groupsOf(claims, rules, { shared: 3, kept: 3 })).toHaveLength(5);
  });

  test('one of a type of which a profile may hold only one may have more', () => {
    const mails = Array.from({ length: 4 }, (_, n) => identifier('email', `${n}@example.org`));
    const claims = mails.map((one, n) => claim('observed', [one, alice], n));
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
