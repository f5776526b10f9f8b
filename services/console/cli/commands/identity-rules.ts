import { stringify } from 'yaml';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesOf } from '#shared/identity/linking/rules.ts';
import { activeClaims } from '#shared/identity/linking/withdrawals.ts';
import { masked } from '../../core/masking.ts';
import { type Grouped, Grouping, regroupingOf } from '../../core/regrouping.ts';
import { changesFor, changesForLater, laterText, limitBrokenBy } from '../../core/why.ts';
import { claimsProgress, type RulesBody, readClaims, rulesInForce } from '../claims.ts';
import type { Connections } from '../connections.ts';
import type { Output } from '../output.ts';
import { Trouble } from '../trouble.ts';
import { contentOf } from './definitions.ts';

export async function rulesShow(connections: Connections): Promise<Output> {
  const home = await connections.home();
  const { rules, origin, version } = await rulesInForce(home, await readClaims(home));
  return {
    json: { origin, version, rules },
    text: `# ${origin}${version ? `: ${version}` : ''}\n${stringify({ kind: 'identity_rules', name: 'default', spec: rules }).trimEnd()}`,
  };
}

const MOST_SAMPLES = 10;
/** Of a profile in a sample. */
const MOST_NAMES = 8;

/** What other rules would make of all claims that count. */
export async function rulesDiff(connections: Connections, [file]: readonly string[]): Promise<Output> {
  const wanted = wantedRules(file);
  const home = await connections.home();
  const progress = claimsProgress();
  const claims = await readClaims(home, progress.show);
  progress.end();
  const { rules, version } = await rulesInForce(home, claims);
  const active = activeClaims(claims.values());
  const [before, after] = [rules, wanted].map((one) => new Grouping(resolveAll(active, rulesOf(one)))) as [
    Grouping,
    Grouping,
  ];
  const { united, split, touched, moved, largest, largestTouched } = regroupingOf(before, after);
  const shown = connections.settings.plain ? (name: string) => name : masked;
  const namesOf = ({ members }: Grouped): string[] => {
    const names = members.slice(0, MOST_NAMES).map(({ type, value }) => shown(`${type}:${value}`));
    return members.length > MOST_NAMES ? [...names, `and ${members.length - MOST_NAMES} more`] : names;
  };
  const reasonsOf = (whole: Grouped, broken: string | undefined): string[] => [
    ...(broken ? [broken] : []),
    ...changesFor(whole.members, rules, wanted),
  ];
  const splits = split.map(({ of, parts }) => ({
    what: 'split' as const,
    profile: namesOf(of),
    parts: parts.map(namesOf),
    reasons: reasonsOf(of, limitBrokenBy(of.members, wanted)),
  }));
  const unions = united.map(({ into, parts }) => ({
    what: 'united' as const,
    profile: namesOf(into),
    parts: parts.map(namesOf),
    reasons: reasonsOf(into, limitBrokenBy(into.members, rules)),
  }));
  // Of both, where there are both.
  const half = Math.max(MOST_SAMPLES / 2, MOST_SAMPLES - unions.length);
  const sample = [...splits.slice(0, half), ...unions].slice(0, MOST_SAMPLES);
  const claimed = [...claims.values()].filter(({ kind }) => kind !== 'withdraw' && kind !== 'activate_rules').length;
  const json = {
    rules: version || 'built in',
    claims: active.length,
    withdrawn: claimed - active.length,
    profiles_now: before.profiles().size,
    profiles_after: after.profiles().size,
    united: united.length,
    split: split.length,
    touched: touched.length,
    identifiers_moved: moved.length,
    largest: largest?.members.length ?? 0,
    largest_touched: largestTouched?.members.length ?? 0,
    sample,
    later: changesForLater(rules, wanted),
  };
  const later = laterText(json.later);
  const text = [
    `a dry run over ${json.claims} claims (${json.withdrawn} more are withdrawn); in force: ${json.rules}`,
    `profiles: ${json.profiles_now} now, ${json.profiles_after} then`,
    `united: ${json.united}, split: ${json.split}, touched: ${json.touched}; identifiers that move: ${json.identifiers_moved}`,
    `largest: ${json.largest} identifiers; of those touched: ${json.largest_touched}`,
    ...sample.map(({ what, parts, reasons }) =>
      what === 'split'
        ? `split into  ${parts.map((names) => names.join(', ')).join('  |  ')}\n    ${reasons.join('; ')}`
        : `unites      ${parts.map((names) => names.join(', ')).join('  +  ')}\n    ${reasons.join('; ')}`,
    ),
    ...(later ? [later] : []),
  ];
  return { json, text: text.join('\n') };
}

function wantedRules(file: string | undefined): RulesBody {
  const { definitions } = contentOf(file);
  const wanted = definitions.find(({ kind }) => kind === 'identity_rules');
  if (!wanted)
    throw new Trouble(`${file} has no identity_rules`, 'it needs kind: identity_rules, name: default, spec', 2);
  return (wanted.body as RulesBody | undefined) ?? defaultIdentityRules;
}
