import type { Control, Identifier, IdentityMapping, Linking, Node, Role } from '#schemas/generated/records.ts';
import { roleAfter, speaksToAll } from '#shared/generations/role.ts';
import type { Input, Stores, Work } from '#shared/task/task.ts';
import { discovered, quarantined, type Stamp } from './core/announcements.ts';

export const adoptionStores = {
  /** By identifier hash. */
  node: { record: 'Node' },
  /** By profile id: one of its identifiers, of profiles that are in quarantine as others know, while that is told. */
  guarded: { record: 'Identifier' },
} as const satisfies Stores;

type AdoptionWork = Work<
  typeof adoptionStores,
  {
    readonly mapping: { readonly value: 'IdentityMapping' };
    readonly change: { readonly value: 'IdentityChange' };
    readonly ownMapping: { readonly value: 'IdentityMapping' };
  }
>;

interface Around {
  readonly profileIdOf: (hash: string) => string;
  readonly generation: number;
}

/** Another generation becomes live, or this one does: then its versions rise above those that are published. */
export function takeInControl(
  { key, value }: Input<'control', Control>,
  known: Role,
  linking: Linking,
  work: AdoptionWork,
  { profileIdOf, generation }: Around,
): { readonly role: Role; readonly linking: Linking } {
  const control = value as Control;
  const { edition, mapping, profile } = control;
  const role = roleAfter(known, control);
  const isAwaited = control.kind === 'published' && role.role === 'adopting' && role.edition === edition;
  if (!isAwaited) return { role, linking };
  const anybody = profile?.identifiers[0];
  if (anybody) work.put('guarded', key, anybody);
  // It is of this generation where all is told once more.
  if (!mapping || mapping.edition === edition) return { role, linking };
  const node = work.get('node', key);
  const version = node ? mapping.version : mapping.version + 1;
  if (!node) {
    // Nothing is known of it here: its identifier is at home.
    const home = { hash: key, profile_id: profileIdOf(key), version, decided_at: work.moment.now, generation, edition };
    work.emit('mapping', key, home, home.decided_at);
  } else if (node.version < version) work.put('node', key, { ...node, version });
  return { role, linking: { ...linking, floor: Math.max(linking.floor, version) } };
}

/**
 * After a switch all mappings are told once, with new versions, which profiles are in quarantine, and which identifiers nobody else has heard
 * of; after a generation has yielded, its mappings to its own.
 * @param most identifiers that are looked at
 */
export function tellOn(role: Role, most: number, work: AdoptionWork, stamp: Stamp, { profileIdOf }: Around): Role {
  if (role.after === null) return role;
  const { generation } = stamp;
  const { edition } = role;
  const { now } = work.moment;
  const isForAll = speaksToAll(role);
  const guard = (anchor: Identifier, profileId: string, reason: Node['quarantine']): void => {
    const decider = { offset: work.moment.positionOf('claim'), receivedAt: now };
    work.emit('change', profileId, quarantined({ anchor, profileId, reason: reason as never }, decider, stamp), now);
    work.remove('guarded', profileId);
  };
  const nodes = work.scan('node', '', role.after, most);
  for (const [hash, node] of nodes) {
    const { profile_id, quarantine } = node;
    if (isForAll && quarantine !== null) guard(node.identifier, profileIdOf(hash), quarantine);
    if (isForAll && node.untold) {
      const home = { ...node, profile_id: profileIdOf(hash) };
      work.emit('change', home.profile_id, discovered(home, node.first_received, stamp), now);
      work.put('node', hash, { ...node, untold: false });
    }
    if (node.version === 0) continue;
    const version = isForAll ? node.version + 1 : node.version;
    const mapping: IdentityMapping = { hash, profile_id, version, decided_at: now, generation, edition };
    work.emit(isForAll ? 'mapping' : 'ownMapping', hash, mapping, now);
    if (isForAll) work.put('node', hash, { ...node, version, untold: false });
  }
  const last = nodes.at(-1)?.[0];
  if (nodes.length === most && last !== undefined) return { ...role, after: last };
  if (!isForAll) return { ...role, after: null };
  for (const [profileId, identifier] of work.scan('guarded', '')) guard(identifier, profileId, null);
  return { ...role, role: 'live', after: null };
}
