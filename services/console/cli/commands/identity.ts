import { stringify } from 'yaml';
import { exactly } from '#shared/json/exact-json.ts';
import { type DrawnGraph, dotOf } from '../../core/dot.ts';
import type { Step } from '../../core/explain.ts';
import { masked, maskedAnswer } from '../../core/masking.ts';
import type { Connections } from '../connections.ts';
import { type Output, table } from '../output.ts';
import { pathOf } from '../path-of.ts';
import { Trouble } from '../trouble.ts';

/** Its identifiers; of two why they are one, or are not: in the read API's own words. */
export async function identity(connections: Connections, [one, other]: readonly string[]): Promise<Output> {
  const part = other ? `/explain?with=${encodeURIComponent(other)}` : '/identifiers';
  const answer = await connections.api(pathOf(one, part));
  return { json: exactly(answer), text: stringify(JSON.parse(answer)).trimEnd() };
}

/** What the read API says, with values masked unless they are asked for. */
async function asked<T>(connections: Connections, path: string): Promise<T> {
  const answer: unknown = JSON.parse(await connections.api(path));
  return (connections.settings.plain ? answer : maskedAnswer(answer)) as T;
}

type Explanation =
  | { readonly same: true; readonly profile_id: string; readonly chain: readonly Step[] | null }
  | {
      readonly same: false;
      readonly profile_ids: readonly string[];
      readonly chain: readonly Step[] | null;
      readonly apart: readonly Apart[];
      readonly complete: boolean;
    };

interface Apart {
  readonly from: string;
  readonly to: string;
  readonly claim_id: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly received_at: string;
}

export async function explain(connections: Connections, [one, other]: readonly string[]): Promise<Output> {
  if (!one || !other) throw new Trouble('which two?', 'tributary identity explain ID ID', 2);
  const json = await asked<Explanation>(connections, pathOf(one, `/explain?with=${encodeURIComponent(other)}`));
  const { chain } = json;
  const text: string[] = [];
  if (json.same) {
    text.push(`one profile: ${json.profile_id}`);
    if (!chain) text.push('by links that ClickHouse does not know, or does not know yet');
    else text.push(chain.length === 0 ? 'they are the same identifier' : stepsText(chain));
  } else {
    text.push(`two profiles: ${json.profile_ids.join(' and ')}`);
    if (chain) {
      const refused = chain.filter(({ accepted }) => !accepted);
      text.push(
        ...refused.map(
          ({ from, to, refused }) => `refused: ${from} and ${to}, ${refused ?? 'for no reason that is known'}`,
        ),
        stepsText(chain),
      );
    } else
      text.push(json.complete ? 'no link leads from one to the other' : 'no link was found; not all were looked at');
    text.push(...json.apart.map(apartText));
  }
  return { json, text: text.join('\n') };
}

const stepsText = (steps: readonly Step[]): string =>
  table(
    ['from', 'to', 'link', 'by', 'claims', 'first received', 'source', 'message id', 'rules', 'claim'],
    steps.map((step) => [
      step.from,
      step.to,
      step.accepted ? 'accepted' : `refused: ${step.refused ?? '?'}`,
      step.kind === 'must_link' ? `must_link by ${step.actor}: ${step.reason ?? ''}` : step.kind,
      step.claims,
      step.received_at,
      step.source ?? '-',
      step.message_id ?? '-',
      rulesText(step.rules),
      step.claim_id,
    ]),
  );

const rulesText = (rules: string | null): string => (rules === '' ? 'built in' : (rules ?? '-'));

const apartText = ({ from, to, actor, reason, claim_id }: Apart): string =>
  `kept apart: ${from} and ${to}, by ${actor}${reason ? `: ${reason}` : ''} (claim ${claim_id})`;

type Graph = Omit<DrawnGraph, 'links' | 'identifiers' | 'apart'> & {
  readonly identifiers: readonly (DrawnGraph['identifiers'][number] & {
    readonly first_seen: string;
    readonly since: string;
    readonly reason: string;
  })[];
  readonly links: readonly Step[];
  readonly apart: readonly Apart[];
  readonly complete: boolean;
};

export async function graph(connections: Connections, [id]: readonly string[]): Promise<Output> {
  const { plain, dot } = connections.settings;
  const answer = JSON.parse(await connections.api(pathOf(id, '/graph'))) as Graph;
  const shown = plain ? (name: string) => name : masked;
  // Masked names may be equal: it is drawn by the whole ones.
  if (dot) {
    const text = dotOf(answer, shown);
    return { json: { dot: text }, text };
  }
  const json = (plain ? answer : maskedAnswer(answer)) as Graph;
  const text = [
    `profile ${json.profile_id}`,
    table(
      ['identifier', 'first seen', 'here since', 'because', ''],
      json.identifiers.map((one) => [
        one.identifier,
        one.first_seen,
        one.since,
        one.reason,
        one.blocked ? 'blocked' : '',
      ]),
    ),
    json.links.length > 0 && stepsText(json.links),
    json.apart.map(apartText).join('\n'),
    !json.complete && 'there are more links than are shown',
  ];
  return { json, text: text.filter(Boolean).join('\n\n') };
}

interface AsOf {
  readonly time: string;
  readonly known: boolean;
  readonly profile_id: string;
  readonly profile_id_now: string;
  readonly identifiers: readonly { readonly identifier: string; readonly since: string }[];
}

export async function asOf(connections: Connections, [time, id]: readonly string[]): Promise<Output> {
  if (!time || !id) throw new Trouble('when, and who?', 'tributary identity as-of 2026-01-31T12:00:00Z ID', 2);
  const json = await asked<AsOf>(connections, pathOf(id, `/as-of?time=${encodeURIComponent(time)}`));
  const text = [
    `at ${json.time}: profile ${json.profile_id}${json.known ? '' : ', where it would have been: it was not seen yet'}`,
    json.profile_id === json.profile_id_now ? 'it still is' : `now: profile ${json.profile_id_now}`,
    table(
      ['identifier', 'here since'],
      json.identifiers.map(({ identifier, since }) => [identifier, since]),
    ),
  ];
  return { json, text: text.filter(Boolean).join('\n') };
}

interface Health {
  readonly profiles: number;
  readonly identifiers: number;
  readonly largest: number;
  readonly sizes: readonly { readonly identifiers: string; readonly profiles: number }[];
  readonly shared: readonly { readonly identifier: string; readonly neighbours: number; readonly user_ids: number }[];
  readonly blocked: readonly { readonly identifier: string; readonly actor: string; readonly reason: string | null }[];
  readonly refusals: readonly { readonly reason: string; readonly count: number }[];
  readonly quarantine: readonly { readonly profile_id: string; readonly reason: string; readonly since: string }[];
  readonly linker_lag: number;
  readonly events: number;
  readonly events_moved: number;
  readonly share_moved: number;
  readonly not_known: readonly string[];
}

export async function health(connections: Connections): Promise<Output> {
  const json = await asked<Health>(connections, '/v1/identity/health');
  const section = (title: string, text: string): string => `${title}\n${text || '  none'}`;
  const text = [
    `${json.profiles} profiles of ${json.identifiers} identifiers; the largest has ${json.largest}`,
    table(
      ['identifiers', 'profiles'],
      json.sizes.map(({ identifiers, profiles }) => [identifiers, profiles]),
    ),
    section(
      'most shared identifiers',
      table(
        ['identifier', 'user ids', 'neighbours'],
        json.shared.map(({ identifier, user_ids, neighbours }) => [identifier, user_ids, neighbours]),
      ),
    ),
    section(
      'blocked by people',
      table(
        ['identifier', 'by', 'reason'],
        json.blocked.map(({ identifier, actor, reason }) => [identifier, actor, reason]),
      ),
    ),
    section(
      'refused links, as they were told',
      table(
        ['reason', 'count'],
        json.refusals.map(({ reason, count }) => [reason, count]),
      ),
    ),
    section(
      'profiles in quarantine',
      table(
        ['profile', 'reason', 'since'],
        json.quarantine.map(({ profile_id, reason, since }) => [profile_id, reason, since]),
      ),
    ),
    `claims that the linker has not taken: ${json.linker_lag}`,
    `events whose profile changed later: ${json.events_moved} of ${json.events} (${(100 * json.share_moved).toFixed(2)} %)`,
    section('not known', json.not_known.map((one) => `  ${one}`).join('\n')),
  ];
  return { json, text: text.join('\n\n') };
}

interface Where {
  readonly profile_id: string;
  readonly former_profile_ids: readonly string[];
  readonly identifiers: readonly { readonly identifier: string; readonly hash: string }[];
  readonly topics: readonly { readonly topic: string; readonly records: number | null; readonly holds: string }[];
  readonly tables: readonly { readonly table: string; readonly rows: number | null }[];
  readonly destinations: readonly {
    readonly destination: string;
    readonly delivered: number;
    readonly requests: number;
    readonly last: string;
  }[];
  readonly local_state: readonly { readonly folder: string; readonly what: string; readonly holds: string }[];
}

export async function where(connections: Connections, [id]: readonly string[]): Promise<Output> {
  const json = await asked<Where>(connections, pathOf(id, '/where'));
  const text = [
    [
      `profile ${json.profile_id}`,
      ...json.former_profile_ids.map((former) => `formerly ${former}`),
      ...json.identifiers.map(({ identifier }) => `  ${identifier}`),
    ].join('\n'),
    table(
      ['topic', 'holds', 'about records'],
      json.topics.map(({ topic, holds, records }) => [topic, holds, records === null ? '' : String(records)]),
    ),
    table(
      ['table', 'rows'],
      json.tables.map(({ table: name, rows }) => [name, rows === null ? 'unknown' : String(rows)]),
    ),
    table(
      ['destination', 'requests', 'delivered', 'last'],
      json.destinations.map(({ destination, requests, delivered, last }) => [destination, requests, delivered, last]),
    ) || 'nothing was delivered anywhere',
    table(
      ['folder of a service', 'holds', 'what'],
      json.local_state.map(({ folder, holds, what }) => [folder, holds, what]),
    ),
  ];
  return { json, text: text.join('\n\n') };
}
