import { formatMicros, parseMicros } from '#shared/money/decimal.ts';
import type { Digested } from '#shared/profiles/digest.ts';

/** What the event log says of a profile, or of what one identifier routed: by SQL, and none of the code that folds events. */
export interface Figures {
  readonly events: number;
  /** By currency, micros; `''`: of old events that name none, which is that of their source. */
  readonly revenue: ReadonlyMap<string, bigint>;
  readonly lastTouch: LastTouch | null;
}

export interface LastTouch {
  readonly timestamp: number;
  readonly message_id: string;
  readonly source: string;
}

export const noFigures: Figures = { events: 0, revenue: new Map(), lastTouch: null };

export function sumOfFigures(all: Iterable<Figures>): Figures {
  let { events, lastTouch } = noFigures;
  const revenue = new Map<string, bigint>();
  for (const one of all) {
    events += one.events;
    for (const [currency, micros] of one.revenue) revenue.set(currency, (revenue.get(currency) ?? 0n) + micros);
    if (one.lastTouch && (!lastTouch || isLater(one.lastTouch, lastTouch))) lastTouch = one.lastTouch;
  }
  return { events, revenue, lastTouch };
}

function isLater(a: LastTouch, b: LastTouch): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  if (a.message_id !== b.message_id) return a.message_id > b.message_id;
  return a.source > b.source;
}

/** Of a profile, what the event log is asked about. */
export type Askable = Pick<Digested, 'identifiers' | 'events' | 'revenue' | 'last_touch' | 'flags'>;

/** Where a profile says something else than the event log. */
export interface Disagreement {
  readonly path: 'events' | 'revenue' | 'last_touch';
  readonly profile: unknown;
  readonly log: unknown;
}

/** Of these the profile does not say all, or the log does not. */
const unclear = new Set(['revenue_unreadable', 'currencies_cut']);

/** Where the identifiers of a profile are not all listed in it, nobody can ask the log for it. */
export const canBeAsked = ({ flags }: Pick<Askable, 'flags'>): boolean => !flags.includes('identifiers_cut');

export function disagreements(profile: Askable, log: Figures): readonly Disagreement[] {
  const found: Disagreement[] = [];
  if (profile.events !== log.events) found.push({ path: 'events', profile: profile.events, log: log.events });
  if (!profile.flags.some((flag) => unclear.has(flag)) && !isSameRevenue(profile.revenue, log.revenue))
    found.push({ path: 'revenue', profile: profile.revenue, log: shownRevenue(log.revenue) });
  const { last_touch } = profile;
  const touch = last_touch && pickTouch(last_touch);
  if (JSON.stringify(touch) !== JSON.stringify(log.lastTouch && pickTouch(log.lastTouch)))
    found.push({ path: 'last_touch', profile: touch, log: log.lastTouch });
  return found;
}

const pickTouch = ({ timestamp, message_id, source }: LastTouch): LastTouch => ({ timestamp, message_id, source });

/**
 * What the log gives no currency for may be in any of the profile's: then the rest of all of them must come to it, and without such
 * amounts each must be the same.
 */
function isSameRevenue(told: Askable['revenue'], log: Figures['revenue']): boolean {
  const rest = new Map(told.map(({ currency, amount }) => [currency, parseMicros(amount) ?? 0n]));
  for (const [currency, micros] of log) if (currency !== '') rest.set(currency, (rest.get(currency) ?? 0n) - micros);
  const unnamed = log.get('');
  if (unnamed === undefined) return [...rest.values()].every((micros) => micros === 0n);
  return [...rest.values()].reduce((sum, micros) => sum + micros, 0n) === unnamed;
}

const shownRevenue = (revenue: Figures['revenue']) =>
  [...revenue]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, micros]) => ({ currency: currency || null, amount: formatMicros(micros) }));
