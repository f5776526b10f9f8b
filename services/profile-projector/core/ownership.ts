import type { Ownership } from '#schemas/generated/records.ts';

/*
 * The one rule by which everything about an identifier finds its profile, whatever is stale and whatever overtakes what.
 *
 * Whatever is about identifier i is addressed to a place: (profile, version), the version being that of the mapping that said so. A
 * partition remembers the newest place of i that it knows. Version 0 is the identifier's own default profile; as any version is at least
 * 0, knowing only (default, 0) decides as knowing nothing does, so it need not be remembered.
 *
 * Nothing circles: what is passed on always goes to a place of a higher version.
 */

/** A profile, and the version of the mapping that says that an identifier is at home there. */
export type Place = Pick<Ownership, 'profile_id' | 'version'>;

/** Where there is but one generation, nothing speaks of the places of another. */
export const aloneInTheWorld = (): never => {
  throw new Error('an event of another generation, and nothing says where its identifier is at home');
};

/** What becomes of something that arrived at `address`. */
export interface Arrival {
  /** The newest place known afterwards. */
  readonly known: Place;
  /** Where to pass it on; undefined: it is folded where it arrived. */
  readonly passTo: Place | undefined;
}

/** A tributary, or an event, for an identifier arrives at the profile to which it was addressed. */
export function arrive(known: Place | undefined, address: Place): Arrival {
  if (!known || address.version > known.version) return { known: address, passTo: undefined };
  if (known.profile_id === address.profile_id) return { known, passTo: undefined };
  return address.version === known.version ? { known: address, passTo: undefined } : { known, passTo: known };
}

/** What becomes of an identifier's tributary at the profile that it is said to leave. */
export interface Departure {
  readonly known: Place;
  /** Where to send the tributary, if the profile holds it; undefined: it stays. */
  readonly sendTo: Place | undefined;
}

/** A change says that the identifier left `profile` for the place `to`. It may be stale: the newest place known decides. */
export function depart(known: Place | undefined, profile: string, to: Place): Departure {
  const newest = !known || to.version > known.version ? to : known;
  return { known: newest, sendTo: newest.profile_id === profile ? undefined : newest };
}
