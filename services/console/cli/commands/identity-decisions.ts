import { setTimeout as sleep } from 'node:timers/promises';
import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { type Hashing, hashingWith } from '#shared/identity/hashing.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesOf } from '#shared/identity/linking/rules.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { readSecret } from '#shared/service/start-up.ts';
import { IdentityWarehouse } from '../../adapters/identity-warehouse.ts';
import { assertUsable, identifiersAskedFor } from '../../core/asked-for.ts';
import { type Decision, Impossible, type Plan, planOf } from '../../core/decisions.ts';
import { masked, maskedAnswer } from '../../core/masking.ts';
import { type Preview, previewOf, previewText } from '../../core/preview.ts';
import { Problem } from '../../core/problem.ts';
import { parseReference } from '../../core/reference.ts';
import { Grouping } from '../../core/regrouping.ts';
import { claimsProgress, linkerReached, readClaims, rulesInForce, writeClaims } from '../claims.ts';
import { canBeAsked, confirmed } from '../confirmed.ts';
import type { Connections } from '../connections.ts';
import { type Output, type Speech, table } from '../output.ts';
import { Trouble } from '../trouble.ts';

/** So long the linker, and then ClickHouse, are waited for. */
const LINKED_MS = 60_000;
const SHOWN_MS = 30_000;

type Words = readonly string[];
type Run = (connections: Connections, words: Words, speech: Speech) => Promise<Output>;
type Wish = (words: Words, identifierOf: (word: string) => Identifier) => Decision;

const aboutTwo =
  (verb: 'link' | 'unlink'): Wish =>
  ([one, other], identifierOf) => {
    if (!one || !other) throw new Trouble('which two?', `tributary identity ${verb} ID ID --reason WHY`, 2);
    return { verb, one: identifierOf(one), other: identifierOf(other) };
  };
const aboutClaims =
  (verb: 'withdraw' | 'restore'): Wish =>
  ([target]) => {
    if (!target) throw new Trouble('which claims?', `tributary identity ${verb} claim:ID --reason WHY`, 2);
    return { verb, target };
  };
const aboutOne: Wish = ([one], identifierOf) => {
  if (!one) throw new Trouble('which identifier?', 'tributary identity block ID --reason WHY', 2);
  return { verb: 'block', one: identifierOf(one) };
};

const deciding =
  (wish: Wish): Run =>
  (connections, words, speech) =>
    decide(connections, (identifierOf) => wish(words, identifierOf), speech);

export const link = deciding(aboutTwo('link'));
export const unlink = deciding(aboutTwo('unlink'));
export const block = deciding(aboutOne);
export const withdraw = deciding(aboutClaims('withdraw'));
export const restore = deciding(aboutClaims('restore'));

/** Shows what a decision does; writes it once that is wanted, and tells what has come of it. */
async function decide(
  connections: Connections,
  wish: (identifierOf: (word: string) => Identifier) => Decision,
  { json, say }: Speech,
): Promise<Output> {
  const { settings } = connections;
  const { actor, reason, generation, prefix, yes } = settings;
  if (!reason.trim()) throw new Trouble('why?', 'a decision about identities needs --reason WHY', 2);
  const hashing = hashingOf(connections);
  const home = await connections.home();
  const progress = claimsProgress();
  const claims = await readClaims(home, progress.show);
  progress.end();
  const { rules } = await rulesInForce(home, claims);
  const decision = wish((word) => identifierIn(word, claims, rules, hashing));
  const author = { actor, reason, at: Date.now(), generation };
  const plan = possible(() =>
    planOf(decision, author, {
      claims,
      areOne: (active, one, other) => {
        const grouping = new Grouping(resolveAll(active, rulesOf(rules)));
        return grouping.of(one).anchor === grouping.of(other).anchor;
      },
    }),
  );
  const warehouse = new IdentityWarehouse((query, params) => connections.rows(query, params, asNumbers));
  const { profileIdOf } = hashing;
  const { preview, expected } = previewOf(decision, plan, { claims, rules, profileIdOf });
  const events = await warehouse.eventsOf([...expected.keys()]);
  const shownPreview = (settings.plain ? preview : maskedAnswer(preview)) as Preview;
  const previewed = previewText(shownPreview, events);
  const undo = plan.undo.map((words) => `tributary identity ${words.join(' ')} --reason …`);
  const answer = { decision: decision.verb, applied: false, preview: { ...shownPreview, events_moved: events }, undo };
  if (plan.writes.length === 0) return { json: answer, text: 'it is so already: nothing is written' };
  const isAsked = !yes && !json && canBeAsked();
  if (!yes && !isAsked) return { json: answer, text: `${previewed}\n\nnothing is written: --yes applies it` };
  if (isAsked) {
    say(previewed);
    if (!(await confirmed('apply it?'))) return { json: answer, text: 'nothing is written' };
  }
  const offset = await writeClaims(home, plan.writes);
  const end = offset + plan.writes.length;
  const taken = await linkerReached(await connections.kafka(), { prefix, generation }, end, LINKED_MS);
  // Once it is written no failure to look may hide that.
  const changes = taken
    ? await changesAfter(offset, expected, warehouse, connections).catch((error) => {
        if (error instanceof Trouble) return [];
        throw error;
      })
    : [];
  const shown = settings.plain ? (name: string) => name : masked;
  const rows = changes.map((row) => ({ ...row, identifier: shown(row.identifier) }));
  const text = [
    ...(isAsked ? [] : [previewed, '']),
    `written: ${plan.writes.map(({ kind, claim_id }) => `${kind} ${claim_id}`).join(', ')}`,
    taken
      ? table(
          ['identifier', 'moved from', 'to', 'because'],
          rows.map((row) => [row.identifier, row.profile_id, row.to_profile_id ?? '', row.reason]),
        ) || 'the linker has taken it; ClickHouse shows no identifier that has moved'
      : `the linker has not taken it within ${LINKED_MS / 1_000} s: it will when it comes to it`,
    ...undo.map((line) => `to take it back: ${line}`),
  ];
  return {
    json: {
      ...answer,
      applied: true,
      claims: plan.writes.map(({ claim_id, kind, target }) => ({ claim_id, kind, target })),
      taken,
      changes: rows,
    },
    text: text.join('\n'),
    exitCode: taken ? 0 : 1,
  };
}

function possible(work: () => Plan): Plan {
  try {
    return work();
  } catch (error) {
    throw error instanceof Impossible ? new Trouble(error.message, '') : error;
  }
}

function hashingOf({ settings }: Connections): Hashing {
  try {
    return hashingWith(readSecret(settings));
  } catch (error) {
    throw new Trouble(
      `the installation’s secret cannot be read: ${error instanceof Error ? error.message : error}`,
      'set TRIBUTARY_SECRET_FILE, or TRIBUTARY_DATA',
    );
  }
}

function identifierIn(
  word: string,
  claims: ReadonlyMap<string, IdentityClaim>,
  rules: NamingRules,
  hashing: Hashing,
): Identifier {
  const reference = parseReference(word);
  if (!reference)
    throw new Trouble(`${word} is no identifier`, 'for example user_id:42, email:a@example.com, profile_id:…', 2);
  const known = (isIt: (one: Identifier) => boolean): Identifier | undefined => {
    for (const { identifiers } of claims.values()) for (const one of identifiers) if (isIt(one)) return one;
    return undefined;
  };
  if (reference.by === 'profile_id') {
    const anchor = known(({ hash }) => hashing.profileIdOf(hash) === reference.profileId);
    if (anchor) return anchor;
    throw new Trouble(`no identifier was ever seen with the profile ${reference.profileId}`, '');
  }
  const asked = identifiersAskedFor(reference, rules, hashing);
  const seen = asked.find(({ hash }) => known((one) => one.hash === hash));
  if (!seen) usable(() => assertUsable(reference, rules));
  return seen ?? (asked[0] as Identifier);
}

function usable(ask: () => void): void {
  try {
    ask();
  } catch (error) {
    throw error instanceof Problem ? new Trouble(error.message, '', 2) : error;
  }
}

interface ChangeRow {
  readonly identifier: string;
  readonly profile_id: string;
  readonly to_profile_id: string | null;
  readonly reason: string;
}

/** Who has moved since, once ClickHouse shows what the preview has foreseen, or the time is over. */
async function changesAfter(
  offset: number,
  expected: ReadonlyMap<string, string>,
  warehouse: IdentityWarehouse,
  connections: Connections,
): Promise<ChangeRow[]> {
  const hashes = [...expected.keys()];
  const end = performance.now() + SHOWN_MS;
  const isShown = async (): Promise<boolean> =>
    (await warehouse.assigned(hashes)).filter(({ hash, profile }) => expected.get(hash) === profile).length ===
    hashes.length;
  while (hashes.length > 0 && performance.now() < end && !(await isShown())) await sleep(100);
  return connections.rows<ChangeRow>(
    `SELECT concat(identifier_type, ':', identifier) AS identifier, toString(profile_id) AS profile_id, toString(to_profile_id) AS to_profile_id, reason
     FROM identity_changes_log FINAL WHERE hash IN {hashes:Array(String)} AND version > {offset:UInt64} AND kind = 'moved'
     ORDER BY version, hash`,
    { hashes, offset },
    asNumbers,
  );
}

/** Times as ISO 8601, and large numbers as numbers. */
const asNumbers = { date_time_output_format: 'iso', output_format_json_quote_64bit_integers: 0 } as const;
