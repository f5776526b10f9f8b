import { setTimeout as sleep } from 'node:timers/promises';
import type { Story } from './visitors.ts';

/** How to ask the read API. */
export interface ReadApi {
  readonly url: string;
  readonly token: string;
}

interface ProfileAnswer {
  readonly profile_id: string;
  readonly identifiers: readonly { readonly type: string; readonly value: string }[];
  readonly events: number;
  readonly revenue: Readonly<Record<string, string>>;
  readonly first_seen: string;
}
interface EventsAnswer {
  readonly events: readonly {
    readonly type: string;
    readonly event: string | null;
    readonly user_id: string | null;
    readonly anonymous_id: string | null;
    readonly timestamp: string;
  }[];
}
interface HistoryAnswer {
  readonly identity: readonly {
    readonly kind: string;
    readonly identifier: string;
    readonly profile_id: string;
    readonly to_profile_id: string | null;
    readonly other: string | null;
    readonly reason: string;
    readonly decided_at: string;
  }[];
}
interface ExplainAnswer {
  readonly chain:
    | readonly {
        readonly from: string;
        readonly to: string;
        readonly kind: string;
        readonly message_id: string | null;
      }[]
    | null;
}

/** The read API keeps a view of its own, which follows the feed; what it asks ClickHouse for that reads by and by. */
const FOUND_WITHIN_MS = 120_000;

/** How one person, anonymous on several devices, came to be one profile. @throws Error when the read API does not know them as one */
export async function tellStory(api: ReadApi, { userId, email, devices }: Story): Promise<string[]> {
  const user = `user_id:${userId}`;
  const first = `anonymous_id:${devices[0]}`;
  const profile = await oneProfile(api, [user, `email:${email}`, ...devices.map((device) => `anonymous_id:${device}`)]);
  const why = `/explain?with=${encodeURIComponent(user)}`;
  const { chain } = await soon(() => ask<ExplainAnswer>(api, first, why));
  const { events } = await soon(() => ask<EventsAnswer>(api, user, '/events?limit=1000'));
  const { identity } = await soon(() => ask<HistoryAnswer>(api, user, '/history?limit=1000'));
  const revenue = Object.entries(profile.revenue).map(([currency, amount]) => `${amount} ${currency}`);
  const short = (text: string): string => shortened(text, devices);
  const moves = identity.filter(({ kind }) => kind === 'moved').toReversed();
  return [
    `One person: ${userId}`,
    ...stretches(events, devices).map((stretch) => `  ${stretch}`),
    `  now one profile, ${profile.profile_id}: ${profile.events} events since ${profile.first_seen.slice(0, 10)}, ${revenue.join(' and ')}`,
    ...moves.map(
      ({ identifier, profile_id, to_profile_id, reason, other }) =>
        `  ${short(identifier)} moved from ${profile_id.slice(0, 8)}… to ${to_profile_id?.slice(0, 8)}…: ${reason}${other === null ? '' : ` through ${short(other)}`}`,
    ),
    ...(chain ?? []).map(
      ({ from, to, kind, message_id }) =>
        `  because ${short(from)} and ${short(to)} were ${kind} together in ${message_id}`,
    ),
  ];
}

/** Asks until there is an answer. @throws what is thrown at last */
async function soon<T>(question: () => Promise<T>): Promise<T> {
  const end = performance.now() + FOUND_WITHIN_MS;
  for (;;) {
    try {
      return await question();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(250);
  }
}

const oneProfile = (api: ReadApi, references: readonly string[]): Promise<ProfileAnswer> =>
  soon(async () => {
    const answers = await Promise.all(
      references.map((reference) => ask<ProfileAnswer>(api, reference).catch((error: Error) => error)),
    );
    const ids = new Set(answers.map((answer) => (answer instanceof Error ? answer.message : answer.profile_id)));
    const first = answers[0] as ProfileAnswer | Error;
    if (ids.size === 1 && !(first instanceof Error) && typeof first.profile_id === 'string') return first;
    throw new Error(`the read API does not know one person of the sample as one profile: ${[...ids].join(', ')}`);
  });

async function ask<T>({ url, token }: ReadApi, reference: string, part = ''): Promise<T> {
  const response = await fetch(`${url}/v1/profiles/${encodeURIComponent(reference)}${part}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`the read API answers ${response.status}`);
  return (await response.json()) as T;
}

/** Consecutive events of the same kind of standing on the same device, one line each. */
function stretches(events: EventsAnswer['events'], devices: readonly string[]): string[] {
  const lines: { at: string; device: string; known: boolean; whats: string[] }[] = [];
  const inOrder = events.toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  for (const { type, event, anonymous_id: device, user_id, timestamp } of inOrder) {
    // The purchases of the nineties were not made on a device.
    if (device === null) continue;
    const known = user_id !== null;
    const what = event === null ? type : `${type} ${event}`;
    const last = lines.at(-1);
    if (last && last.device === device && last.known === known) last.whats.push(what);
    else lines.push({ at: timestamp.slice(0, 19).replace('T', ' '), device, known, whats: [what] });
  }
  return lines.map(
    ({ at, device, known, whats }) =>
      `${at}  device ${letterOf(device, devices)}, ${known ? 'known' : 'anonymous'}: ${whats.join(', ')}`,
  );
}

const letterOf = (device: string, devices: readonly string[]): string =>
  String.fromCharCode(65 + Math.max(0, devices.indexOf(device)));

const shortened = (text: string, devices: readonly string[]): string =>
  devices.reduce(
    (short, device) => short.replaceAll(`anonymous_id:${device}`, `device ${letterOf(device, devices)}`),
    text,
  );
