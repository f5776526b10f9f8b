import type { Profile } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { parseMicros } from '#shared/money/decimal.ts';
import { addDigests, digestOf } from '#shared/profiles/digest.ts';
import { type Installation, readRecords } from './kafka-records.ts';

/** What the feed of profiles says, read to its end. */
export interface ProfileFeed {
  /** Those that exist, by profile id. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly digest: bigint;
  readonly versions: number;
  readonly gone: number;
  /** Profiles whose versions do not rise by one from record to record. */
  readonly unevenVersions: readonly string[];
}

export async function readProfileFeed(installation: Installation): Promise<ProfileFeed> {
  const profiles = new Map<string, Profile>();
  const newest = new Map<string, number>();
  const uneven = new Set<string>();
  let versions = 0;
  let gone = 0;
  for (const { key, value } of await readRecords(installation, topics.profiles)) {
    if (!value) {
      profiles.delete(key);
      gone++;
      continue;
    }
    versions++;
    // Compaction may have dropped older versions, but never leaves a gap between those that follow.
    const before = newest.get(key);
    if (before !== undefined && value.version !== before + 1) uneven.add(key);
    newest.set(key, value.version);
    profiles.set(key, value);
  }
  let digest = 0n;
  for (const profile of profiles.values()) digest = addDigests(digest, digestOf(profile));
  return { profiles, digest, versions, gone, unevenVersions: [...uneven] };
}

/** Sum over all profiles, in micros, by currency. */
export function revenueOf(profiles: Iterable<Profile>): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { revenue } of profiles) {
    for (const { currency, amount } of revenue)
      sums.set(currency, (sums.get(currency) ?? 0n) + (parseMicros(amount) ?? 0n));
  }
  return sums;
}
