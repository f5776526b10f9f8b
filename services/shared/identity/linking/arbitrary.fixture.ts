import fc from 'fast-check';
import type { EventCollected, Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { claimId, decisionId } from '#shared/identity/claim-id.ts';
import { hashingWith } from '#shared/identity/hashing.ts';

/** Identifiers, claims and events for tests: few values, so that they meet often. */

export const hashing = hashingWith(Buffer.from('a secret only for these tests'));

export const identifier = (type: string, value: string): Identifier => ({
  type,
  value,
  hash: hashing.hash(type, value),
});

const some = (type: string, count: number): Identifier[] =>
  Array.from({ length: count }, (_, n) => identifier(type, `${type} ${n}`));

/** Highest priority first. */
export const universe = [
  ...some('user_id', 6),
  ...some('email', 5),
  ...some('anonymous_id', 9),
  ...some('device_id', 3),
];

export function claim(
  kind: string,
  identifiers: readonly Identifier[],
  receivedAt: number,
  source: string | null = 'web',
  actor = 'resolver-0',
  occurredAt: number | null = null,
): IdentityClaim {
  const ordered = [...identifiers].sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return {
    claim_id: claimId(kind, ordered[0]?.hash ?? '', ordered[1]?.hash ?? '', source, actor),
    kind,
    identifiers: ordered,
    message_id: null,
    source,
    received_at: receivedAt,
    occurred_at: occurredAt,
    actor,
    reason: null,
    target: null,
    rules: null,
    weight: null,
    definitions: [],
    generation: 1,
  };
}

/** Claims of every kind over the universe, mostly observations. */
export const claims = fc.array(
  fc
    .record({
      kind: fc.oneof(
        { weight: 12, arbitrary: fc.constant('observed') },
        { weight: 2, arbitrary: fc.constantFrom('alias', 'must_link', 'cannot_link') },
        { weight: 1, arbitrary: fc.constant('block') },
      ),
      pair: fc.subarray(universe, { minLength: 1, maxLength: 2 }),
      receivedAt: fc.integer({ min: 0, max: 30 }),
      source: fc.constantFrom('web', 'app'),
      occurredAt: fc.option(fc.integer({ min: 0, max: 30 })),
      isForeign: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    })
    .map(({ kind, pair, receivedAt, source, occurredAt, isForeign }) => {
      const isAlone = kind === 'block' || pair.length === 1;
      const what = isAlone && kind !== 'block' ? 'observed' : kind;
      const made = claim(what, isAlone ? pair.slice(0, 1) : pair, receivedAt, source, 'resolver-0', occurredAt);
      const own = { ...made, definitions: [{ definition: `source/${source}`, version: receivedAt < 15 ? 1 : 2 }] };
      // Whoever claims may number as they like.
      return isForeign ? { ...own, claim_id: [...own.claim_id].reverse().join('') } : own;
    }),
  { maxLength: 60, size: 'max' },
);

/** A person withdraws claims, or (null) takes that back. */
export const withdrawal = (target: string, isTakenBack = false, receivedAt = 40): IdentityClaim => ({
  ...claim('withdraw', [], receivedAt, null, 'a person'),
  claim_id: decisionId('withdraw', target),
  target: isTakenBack ? null : target,
});

export const activation = (rules: object, version: number, receivedAt = 40): IdentityClaim => ({
  ...claim('activate_rules', [], receivedAt, null, 'a person'),
  rules: JSON.stringify(rules),
  definitions: [{ definition: 'identity_rules/default', version }],
});

/** A record of the topic of claims: null erases the claim. */
export interface ClaimRecord {
  readonly key: string;
  readonly value: IdentityClaim | null;
}

/** Claims, and in between what withdraws them, takes that back, erases them or changes the rules. */
export const claimLogs = (rules: readonly object[]): fc.Arbitrary<ClaimRecord[]> =>
  fc
    .record({
      claims,
      others: fc.array(
        fc.record({
          at: fc.nat(60),
          which: fc.nat(60),
          what: fc.constantFrom('claim', 'claim', 'source', 'definition', 'actor', 'rules', 'erase'),
          isTakenBack: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
    })
    .map(({ claims, others }) => {
      const log: ClaimRecord[] = claims.map((value) => ({ key: value.claim_id, value }));
      for (const { at, which, what, isTakenBack } of others) {
        const id = claims[which % Math.max(claims.length, 1)]?.claim_id ?? '0'.repeat(32);
        const target = {
          claim: `claim:${id}`,
          source: `source:${which % 2 ? 'web' : 'app'}`,
          definition: `definition:source/${which % 2 ? 'web' : 'app'}@${1 + (which % 3 ? 1 : 0)}`,
          actor: 'actor:resolver-*',
        };
        const value =
          what === 'rules'
            ? activation(rules[which % rules.length] as object, which)
            : what === 'erase'
              ? null
              : withdrawal(target[what], isTakenBack);
        log.splice(at, 0, { key: value?.claim_id ?? id, value });
      }
      return log;
    });

export const event = (
  messageId: string,
  receivedAt: number,
  identifiers: readonly Identifier[],
  rest: Partial<EventCollected> = {},
): EventCollected => ({
  message_id: messageId,
  type: 'track',
  event: 'Tested',
  source: 'web',
  user_id: null,
  anonymous_id: null,
  original_timestamp: receivedAt,
  sent_at: null,
  received_at: receivedAt,
  timestamp: receivedAt,
  flags: [],
  kind: 'person',
  identifiers,
  payload: '{}',
  ip: null,
  enrichment: '{}',
  consents: [],
  currency: 'USD',
  definitions: [],
  generation: 1,
  ...rest,
});

/** They are seen together again and again. */
const usual = universe.filter((_, n) => n % 8 === 0);

/** Events with one to three identifiers of the universe, in order of priority, each with its own message id. */
export const events = fc
  .array(
    fc.record({
      identifiers: fc.oneof(
        fc.subarray(universe, { minLength: 1, maxLength: 3 }),
        fc.subarray(usual, { minLength: 1 }),
      ),
      receivedAt: fc.integer({ min: 0, max: 30 }),
      timestamp: fc.integer({ min: 0, max: 30 }),
      source: fc.constantFrom('web', 'app'),
    }),
    { maxLength: 40, size: 'max' },
  )
  .map((drafts) =>
    drafts.map(({ identifiers, receivedAt, timestamp, source }, n) =>
      event(`m${n}`, receivedAt, identifiers, { source, timestamp }),
    ),
  );

/** How to cut a list of any length into batches: sizes, used again and again. */
export const batchSizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });

export function inBatches<T>(items: readonly T[], sizes: readonly number[]): T[][] {
  const batches: T[][] = [];
  for (let from = 0, n = 0; from < items.length; n++) {
    const size = sizes[n % sizes.length] as number;
    batches.push(items.slice(from, from + size));
    from += size;
  }
  return batches;
}

/** The items in an order that the seeds decide. */
export const shuffled = <T>(items: readonly T[], seeds: readonly number[]): T[] =>
  items
    .map((item, n) => ({ item, rank: (seeds[n % seeds.length] as number) * (n + 1), n }))
    .sort((a, b) => (a.rank % 1009) - (b.rank % 1009) || a.n - b.n)
    .map(({ item }) => item);

export const orderSeeds = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 60, size: 'max' });
