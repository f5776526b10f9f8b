import type { GroupMembership } from '#schemas/generated/records.ts';
import { objectMembers } from '#shared/json/members.ts';
import { type Flag, limits } from './limits.ts';
import type { ReadEvent } from './read-event.ts';
import { none } from './sorted.ts';

/** Which group the person of a group call belongs to. */
export function groupsOf({ payload, timestamp, source }: ReadEvent, flags: Flag[]): readonly GroupMembership[] {
  const members = objectMembers(payload);
  const id = members.get('groupId');
  const json = id && payload.slice(id.start, id.end);
  if (json === undefined) return none;
  const group = json.startsWith('"') ? (JSON.parse(json) as string).toWellFormed() : json;
  if (group.length > limits.groupText) {
    flags.push('group_cut');
    return none;
  }
  const said = members.get('traits');
  let traits = said && payload[said.start] === '{' ? payload.slice(said.start, said.end) : '{}';
  if (Buffer.byteLength(traits) > limits.groupTraitBytes) {
    flags.push('group_cut');
    traits = '{}';
  }
  return [{ group, traits, timestamp, source }];
}

export const groupKey = ({ group }: GroupMembership): string => group;

/** The newest; of equally old ones the one of the larger source and traits. */
export function laterMembership(a: GroupMembership, b: GroupMembership): GroupMembership {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp ? a : b;
  if (a.source !== b.source) return a.source > b.source ? a : b;
  return a.traits >= b.traits ? a : b;
}
