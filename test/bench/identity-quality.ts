/**
 * How good and how steady the profiles of an identity stream are, in memory, beside two yardsticks. `node test/bench/identity-quality.ts`
 */
import type { EventCollected, IdentityClaim, Sighting } from '#schemas/generated/records.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesOf } from '#shared/identity/linking/rules.ts';
import { BoundedMemo } from '../../services/identity-stitcher/core/bounded-memo.ts';
import { Sightings } from '../../services/identity-stitcher/core/sightings.ts';
import { type Delivery, type Difference, delivered, deliveries, differenceOf, sentAgain } from '../support/delivery.ts';
import { forgetful, generatedRows, shared, usual } from '../support/identity-generator.ts';
import { type Quality, qualityOf } from '../support/identity-quality.ts';
import {
  collected,
  eventItems,
  type IdentityStreamEvent,
  identifierItems,
  identityRows,
  most,
  personsOf,
} from '../support/identity-stream.ts';
import { randomFrom } from '../support/random.ts';
import { arrivalOrder, connectedComponents, type ProfileOf, type RulesBody } from './identity-yardsticks.ts';
import { orderTable, qualityTable } from './report.ts';

const hashing = hashingWith(Buffer.from('a secret only for this benchmark'));
const SEED = 1;

export interface QualityFigures {
  readonly stream: string;
  readonly policy: string;
  /** Of identifiers that one person alone has, of all of them, and of events by their routing identifier. */
  readonly own: Quality;
  readonly all: Quality;
  readonly events: Quality;
}

export interface OrderFigures {
  readonly policy: string;
  readonly delivery: Delivery;
  /** With the times that the events were stamped with, and received anew in that order. */
  readonly stamped: Difference;
  readonly again: Difference;
}

/** What resolvers claim of these events, in this order. */
export function claimsOf(events: readonly EventCollected[]): IdentityClaim[] {
  const seen = new Map<string, Sighting>();
  const claims = new Map<string, IdentityClaim>();
  const sightings = new Sightings(
    { get: (id) => seen.get(id), put: (id, sighting) => void seen.set(id, sighting) },
    { partition: 0, generation: 1 },
    new BoundedMemo(50_000),
    (claim) => void claims.set(claim.claim_id, claim),
  );
  for (const event of events) sightings.see(event);
  return [...claims.values()];
}

const ours = (events: readonly EventCollected[], rules: RulesBody): ProfileOf => {
  const profiles = new Map<string, string>();
  for (const { anchor, members } of resolveAll(claimsOf(events), rulesOf(rules)))
    for (const { identifier } of members) profiles.set(identifier.hash, anchor.identifier.hash);
  return (hash) => profiles.get(hash) ?? hash;
};

const policies: Readonly<Record<string, (events: readonly EventCollected[], rules: RulesBody) => ProfileOf>> = {
  'connected components': connectedComponents,
  'order of arrival, same limits': arrivalOrder,
  ours,
};

/** Who only ever unites identifiers of the same person: nobody can find more in what was seen together. */
function bestPossible(stream: readonly IdentityStreamEvent[]): ProfileOf {
  const persons = new Map([...personsOf(stream)].map(([hash, of]) => [hash, most(of)]));
  const pairs = stream.flatMap(({ event }) =>
    event.identifiers.flatMap((one, n) =>
      event.identifiers
        .slice(n + 1)
        .filter((other) => persons.get(one.hash) === persons.get(other.hash))
        .map((other): EventCollected => ({ ...event, identifiers: [one, other] })),
    ),
  );
  return connectedComponents(pairs);
}

const eventsOf = (stream: readonly IdentityStreamEvent[]): EventCollected[] => stream.map(({ event }) => event);

/** The stream of `test/data` and made-up ones: who tunes rules for one must see the others. */
export function benchQuality(): QualityFigures[] {
  const rules = defaultIdentityRules;
  const streams = {
    identity_stream_3k: identityRows(),
    'made up, usual': generatedRows(SEED, usual),
    'made up, shared devices': generatedRows(SEED, shared),
    'made up, forgetful browsers': generatedRows(SEED, forgetful),
  };
  return Object.entries(streams).flatMap(([name, rows]) => {
    const stream = collected(rows, hashing);
    const judged = (policy: string, profileOf: ProfileOf): QualityFigures => ({
      stream: name,
      policy,
      own: qualityOf(identifierItems(stream, profileOf, 'own')),
      all: qualityOf(identifierItems(stream, profileOf, 'all')),
      events: qualityOf(eventItems(stream, profileOf)),
    });
    return [
      ...Object.entries(policies).map(([policy, of]) => judged(policy, of(eventsOf(stream), rules))),
      judged('best possible', bestPossible(stream)),
    ];
  });
}

/** The stream of `test/data` in other orders. */
export function benchOrder(): OrderFigures[] {
  const rules = defaultIdentityRules;
  const stream = collected(identityRows(), hashing);
  const identifiers = [...personsOf(stream).keys()];
  const end = Math.max(...stream.map(({ event }) => event.received_at));
  const sent = sentAgain(stream, end);
  return Object.entries(policies).flatMap(([policy, of]) => {
    // Named by its oldest identifier, as profiles are; so a name changes when another one was first.
    const named = (events: readonly IdentityStreamEvent[]): ProfileOf => {
      const profileOf = of(eventsOf(events), rules);
      return policy === 'ours' ? profileOf : byOldest(events, profileOf);
    };
    const inOrder = named(stream);
    const sentInOrder = named(sent);
    return (Object.keys(deliveries) as Delivery[]).map((delivery): OrderFigures => {
      const other = delivered(stream, delivery, randomFrom(SEED));
      return {
        policy,
        delivery,
        stamped: differenceOf(identifiers, inOrder, named(other)),
        again: differenceOf(identifiers, sentInOrder, named(sentAgain(other, end))),
      };
    });
  });
}

function byOldest(events: readonly IdentityStreamEvent[], profileOf: ProfileOf): ProfileOf {
  const names = new Map<string, { readonly hash: string; readonly at: number }>();
  for (const { event } of events) {
    for (const { hash } of event.identifiers) {
      const known = names.get(profileOf(hash));
      if (!known || event.received_at < known.at) names.set(profileOf(hash), { hash, at: event.received_at });
    }
  }
  return (hash) => names.get(profileOf(hash))?.hash ?? hash;
}

if (import.meta.main) {
  console.log(qualityTable(benchQuality()));
  console.log(orderTable(benchOrder()));
}
