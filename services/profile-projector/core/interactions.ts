import type { Interaction } from '#schemas/generated/records.ts';
import { memberSpan, objectMembers } from '#shared/json/members.ts';
import { type Flag, limits } from './limits.ts';
import type { ReadEvent } from './read-event.ts';
import { none } from './sorted.ts';

/** What a track call of the name Interaction says; without an id it is one of its own, without a state it is closed. */
export function interactionsOf(event: ReadEvent, flags: Flag[]): readonly Interaction[] {
  const { payload, timestamp, source } = event;
  const properties = memberSpan(payload, 'properties');
  const members = properties && objectMembers(payload, properties.start);
  const textOf = (name: string): string | null => {
    const span = members?.get(name);
    const json = span && payload.slice(span.start, span.end);
    if (json === undefined || !/^["\d-]/.test(json)) return null;
    return (json.startsWith('"') ? (JSON.parse(json) as string).toWellFormed() : json) || null;
  };
  const id = textOf('id') ?? event.message_id;
  const state = textOf('state') ?? 'closed';
  if (id.length > limits.interactionText || (state !== 'open' && state !== 'closed')) {
    flags.push('interaction_unreadable');
    return none;
  }
  const cutText = (name: string): string | null =>
    textOf(name)?.slice(0, limits.interactionText).toWellFormed() ?? null;
  const [channel, direction, agent] = [cutText('channel'), cutText('direction'), cutText('agent')];
  return [{ id, state, channel, direction, agent, timestamp, source }];
}

export const interactionKey = ({ id }: Interaction): string => id;

/** The newest as a whole; of equally old ones the one that is closed, then by what they say. */
export function laterInteraction(a: Interaction, b: Interaction): Interaction {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp ? a : b;
  if (a.state !== b.state) return a.state === 'closed' ? a : b;
  for (const name of ['source', 'channel', 'direction', 'agent'] as const) {
    const [x, y] = [a[name] ?? '', b[name] ?? ''];
    if (x !== y) return x > y ? a : b;
  }
  return a;
}

/** All that are open, and the last that are closed; newest first. */
export function shownInteractions(sorted: readonly Interaction[]): readonly Interaction[] {
  if (sorted.length === 0) return none;
  let closed = 0;
  return sorted
    .toReversed()
    .sort((a, b) => b.timestamp - a.timestamp)
    .filter(({ state }) => state === 'open' || ++closed <= limits.closedInteractions);
}
