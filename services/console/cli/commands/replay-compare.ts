import type { Generation, Identifier } from '#schemas/generated/records.ts';
import { quietTopics, topics } from '#schemas/topics.ts';
import { readDefinitions } from '#shared/definitions/apply.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { inForceOf } from '#shared/definitions/feed.ts';
import { type SensitiveTraits, sensitiveTraitsIn } from '#shared/definitions/sensitive-traits.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';
import { liveOf } from '#shared/generations/lifecycle.ts';
import { readGenerations } from '#shared/generations/records.ts';
import { formatDigest } from '#shared/profiles/digest.ts';
import { differenceTexts } from '../../core/compare/difference-text.ts';
import type { Total } from '../../core/compare/digest-table.ts';
import { maskedDifference, maskedIdentifier } from '../../core/compare/masked-difference.ts';
import type { Guess, Reason } from '../../core/compare/reason.ts';
import type { Disagreement } from '../../core/compare/third-opinion.ts';
import { changesFor } from '../../core/why.ts';
import { type RulesBody, readClaims, rulesInForce } from '../claims.ts';
import { type Comparison, compareFeeds, type DifferingProfile, type DisputedProfile } from '../comparing.ts';
import type { Connections } from '../connections.ts';
import type { Output } from '../output.ts';
import { timeOf } from '../time-of.ts';
import { Trouble } from '../trouble.ts';
import { warehouseQuery } from '../warehouse-query.ts';
import { numberIn, recordOf } from './replay.ts';

/** The event log is asked of so many profiles at most. */
const MOST_ASKED = 50_000;
const BETWEEN_LINES_MS = 3_000;
const MOST_EVENTS_NAMED = 20;
const ADVICE = '`tributary replay list` lists them';

/** What a generation says otherwise than the live one, and what the event log says of both. Exit code 1 when they differ. */
export async function replayCompare(connections: Connections, [word]: readonly string[]): Promise<Output> {
  const home = await connections.home();
  const { limit, asOf, plain, generation: own } = connections.settings;
  const generation = await generationNamed(connections, word);
  const at = timeOf(asOf);
  const query = warehouseQuery(connections);
  const feeds = [topics.profiles, quietTopics(generation.generation).profiles] as const;
  const comparing = { home, query, topics: feeds, at, limit, mostAsked: MOST_ASKED };
  const found = await compareFeeds({ ...comparing, onProgress: nowAndThen() });
  const rules = await rulesOfOwn(connections, generation);
  const sensitive = await sensitiveTraits(connections);
  const written: Written = { other: `generation ${generation.generation}`, plain, sensitive, rules };
  const all = await readGenerations({ ...home, generation: own });
  const json = jsonOf(found, written, { generation: generation.generation, live: liveOf(all).generation, at });
  return { json, text: textOf(json, written.other), exitCode: json.same ? 0 : 1 };
}

/** Tells how far it is, on the error output, from the third second on. */
function nowAndThen(): (done: number, of: number) => void {
  let next = performance.now() + BETWEEN_LINES_MS;
  return (done, of) => {
    if (performance.now() < next) return;
    next = performance.now() + BETWEEN_LINES_MS;
    process.stderr.write(`the event log: ${Math.floor((100 * done) / of)} % of ${of} identifiers\n`);
  };
}

/** @throws Trouble where there is no such generation, or it is the live one, or dropped */
async function generationNamed(connections: Connections, word: string | undefined): Promise<Generation> {
  const number = numberIn([word], 'compare');
  const home = await connections.home();
  const generation = recordOf(await readGenerations({ ...home, generation: connections.settings.generation }), number);
  if (generation.state === 'dropped') throw new Trouble(`generation ${number} is dropped`, ADVICE, 2);
  if (generation.state === 'live')
    throw new Trouble(`generation ${number} is live: there is nothing to compare it with`, ADVICE, 2);
  return generation;
}

async function sensitiveTraits(connections: Connections): Promise<SensitiveTraits> {
  const newest = await readDefinitions(await connections.home());
  const inForce = [...newest.values()].flatMap((record) => (record.deleted ? [] : (inForceOf(record) ?? [])));
  return sensitiveTraitsIn(new Definitions(inForce));
}

/** Identity rules in force, and those of a generation that has some of its own. */
async function rulesOfOwn(
  connections: Connections,
  { definitions }: Generation,
): Promise<readonly [RulesBody, RulesBody] | undefined> {
  if (definitions === '') return undefined;
  const result = validateDefinitions(definitions, 'definitions of the generation');
  if ('errors' in result) throw new Trouble(result.errors.join('\n'), '');
  const own = result.definitions.find(({ kind }) => kind === 'identity_rules');
  if (!own?.body) return undefined;
  const home = await connections.home();
  return [(await rulesInForce(home, await readClaims(home))).rules, own.body as RulesBody];
}

/** What the answer is written with. */
interface Written {
  readonly other: string;
  readonly plain: boolean;
  readonly sensitive: SensitiveTraits;
  readonly rules: readonly [RulesBody, RulesBody] | undefined;
}

const shownTotal = ({ profiles, digest }: Total) => ({ profiles, digest: formatDigest(digest) });

function jsonOf(
  { agreement, differing, explained, reasons, eventLog }: Comparison,
  written: Written,
  { generation, live, at }: { readonly generation: number; readonly live: number; readonly at: number | undefined },
) {
  const [first, second] = agreement.totals;
  return {
    generation,
    as_of: at === undefined ? null : new Date(at).toISOString(),
    same: agreement.differing.length === 0 && eventLog.disagreeing === 0,
    live: { generation: live, ...shownTotal(first) },
    replayed: shownTotal(second),
    agreed_later: agreement.agreedLater,
    differing: agreement.differing.length,
    explained,
    reasons,
    profiles: differing.map((one) => shownProfile(one, written)),
    event_log: {
      asked: eventLog.asked,
      disagreeing: eventLog.disagreeing,
      live: eventLog.byFeed[0] ?? 0,
      replayed: eventLog.byFeed[1] ?? 0,
      profiles: eventLog.disputed.map((one) => shownDispute(one, written)),
    },
  };
}

interface ShownGuess {
  readonly reason: Reason;
  /** Which is the odd one. */
  readonly at: string | null;
  readonly identifiers: readonly string[];
  readonly events: readonly string[];
  /** Of these the first are named. */
  readonly events_known: number;
}

function shownGuess(guess: Guess, names: readonly [string, string], { plain }: Written): ShownGuess {
  const { reason, at, identifiers, events } = guess;
  return {
    reason,
    at: at && { first: names[0], second: names[1], 'event log': 'the event log' }[at],
    identifiers: identifiers.map((one) => nameOf(plain ? one : maskedIdentifier(one))),
    events: events.slice(0, MOST_EVENTS_NAMED),
    events_known: events.length,
  };
}

const nameOf = ({ type, value }: Identifier): string => `${type}:${value}`;

function shownProfile(one: DifferingProfile, written: Written) {
  const { profile_id, guess, identifiers, differences, disagreements } = one;
  const [live, replayed] = disagreements.map(({ length }) => length === 0);
  return {
    profile_id,
    ...shownGuess(guess, ['live', written.other], written),
    rules: guess.reason === 'rule' && written.rules ? changesFor(identifiers, ...written.rules) : [],
    event_log_agrees_with: [...(live ? ['live'] : []), ...(replayed ? [written.other] : [])],
    differences: differences.map((difference) => {
      const { path, values } = written.plain
        ? difference
        : maskedDifference(difference, identifiers, written.sensitive);
      return { path, live: values[0], replayed: values[1] };
    }),
  };
}

const shownDispute = ({ profile_id, guess, disagreements }: DisputedProfile, written: Written) => ({
  profile_id,
  ...shownGuess(guess, ['profiles', 'profiles'], written),
  disagreements,
});

type Json = ReturnType<typeof jsonOf>;

function textOf(json: Json, other: string): string {
  const { live, replayed, differing, agreed_later, explained, reasons, profiles, event_log } = json;
  const width = Math.max(other.length, 4);
  const counted = Object.entries(reasons)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, count]) => `${count} ${reason}`);
  return [
    `${'live'.padEnd(width)}  ${live.digest}  ${live.profiles} profiles`,
    `${other.padEnd(width)}  ${replayed.digest}  ${replayed.profiles} profiles`,
    ...(agreed_later > 0 ? [`${agreed_later} profiles differed for a moment, and became the same`] : []),
    differing === 0
      ? 'the same'
      : `${differing} profiles differ; of ${explained} it was looked why: ${counted.join(', ')}`,
    ...profiles.flatMap((one) => profileText(one, other)),
    ...(profiles.length < differing ? [`… and ${differing - profiles.length} more (--limit ROWS)`] : []),
    ...(profiles.length > 0 ? [''] : []),
    eventLogText(event_log, other),
    ...event_log.profiles.map(disputeText),
  ].join('\n');
}

function profileText(one: Json['profiles'][number], other: string): string[] {
  const agrees = one.event_log_agrees_with;
  return [
    '',
    `${one.profile_id}  ${reasonText(one)}`,
    ...one.rules.map((rule) => `  rule: ${rule}`),
    ...differenceTexts(
      one.differences.map(({ path, live, replayed }) => ({ path, values: [live, replayed] })),
      ['live', other],
    ).map((line) => `  ${line}`),
    `  the event log agrees with ${agrees.length === 2 ? 'both' : (agrees[0] ?? 'neither')}`,
  ];
}

function reasonText({ reason, at, identifiers, events, events_known }: ShownGuess): string {
  const more = events_known > events.length ? ` and ${events_known - events.length} more` : '';
  return [
    reason,
    ...(at ? [`in ${at}`] : []),
    ...(identifiers.length > 0 ? [`of ${identifiers.join(', ')}`] : []),
    ...(events.length > 0 ? [`(events ${events.join(', ')}${more})`] : []),
  ].join(' ');
}

function eventLogText({ asked, disagreeing, live, replayed }: Json['event_log'], other: string): string {
  const looked = `events, revenue and last touch of ${asked} profiles, by SQL from the event log`;
  return disagreeing === 0
    ? `${looked}: the same`
    : `${looked}: of ${disagreeing} something else (live ${live}, ${other} ${replayed})`;
}

const disputeText = (one: Json['event_log']['profiles'][number]): string =>
  [
    `${one.profile_id}  ${reasonText(one)}`,
    ...one.disagreements.map(
      ({ path, profile, log }: Disagreement) =>
        `  ${path}: ${JSON.stringify(profile)}, event log ${JSON.stringify(log)}`,
    ),
  ].join('\n');
