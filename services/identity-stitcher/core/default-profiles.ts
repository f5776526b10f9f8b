import type { Hashing } from '#shared/identity/hashing.ts';
import { BoundedMemo } from './bounded-memo.ts';

const MEMO_SIZE = 50_000;

/** Default profile id by identifier hash, remembered for those used last: hashing would say the same again. */
export function defaultProfiles(hashing: Pick<Hashing, 'profileIdOf'>): (hash: string) => string {
  const known = new BoundedMemo<string>(MEMO_SIZE);
  return (hash) => {
    let profileId = known.get(hash);
    if (profileId === undefined) {
      profileId = hashing.profileIdOf(hash);
      known.set(hash, profileId);
    }
    return profileId;
  };
}
