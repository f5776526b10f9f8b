/** What is known of profiles and identifiers, by exact keys. */
export interface Knowledge<P> {
  /** The profile while it exists. */
  profile(profileId: string): P | undefined;
  /** Where a profile has gone, for those that are no more. */
  successor(profileId: string): string | undefined;
  /** The profile that an identifier was last assigned to, once it has left its default one. */
  assigned(hash: string): string | undefined;
  /** The identifier that has this as its default profile, once it has left it. */
  anchor(profileId: string): string | undefined;
  defaultProfile(hash: string): string;
  holds(profile: P, hash: string): boolean;
}

const MOST_HOPS = 64;

/**
 * The profile of an identifier. Assignments and profiles come on separate ways: while one is ahead of the other, the profile is found
 * where it was, or where it has gone; but never one that does not hold the identifier.
 */
export function findByHash<P>(hash: string, known: Knowledge<P>): P | undefined {
  const assigned = known.assigned(hash);
  for (const start of [assigned, known.defaultProfile(hash)]) {
    const profile = start === undefined ? undefined : followed(start, known);
    if (profile && known.holds(profile, hash)) return profile;
  }
  return undefined;
}

/**
 * The profile with this id, or the one that holds what it was made around: every profile id is the default one of an identifier,
 * and that is somewhere, also where all traces of the profile are gone. Where the profile's last events went says less: what went
 * with them may have moved on since. It counts only until the identifier's assignment is known.
 */
export function findById<P>(profileId: string, known: Knowledge<P>): P | undefined {
  const living = known.profile(profileId);
  if (living) return living;
  const anchor = known.anchor(profileId);
  return anchor === undefined ? followed(profileId, known) : findByHash(anchor, known);
}

function followed<P>(profileId: string, known: Knowledge<P>): P | undefined {
  let at: string | undefined = profileId;
  for (let hops = 0; at !== undefined && hops < MOST_HOPS; hops++) {
    const profile = known.profile(at);
    if (profile) return profile;
    at = known.successor(at);
  }
  return undefined;
}
