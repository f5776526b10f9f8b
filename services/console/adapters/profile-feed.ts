import type { Profile } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import type { Reader } from '#shared/kafka/read-partitions.ts';
import { digestOf } from '#shared/profiles/digest.ts';
import type { DigestTable } from '../core/compare/digest-table.ts';
import type { Said } from '../core/compare/reason.ts';
import { followTopic } from './follow-topic.ts';

/** Where feeds of profiles are read. */
export interface FeedHome {
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
}

export type ProfilesTopic = Topic & { readonly value: 'Profile' };

/** A tombstone follows what says that a profile is gone, and says nothing of when. */
const NOW = Number.POSITIVE_INFINITY;

/** A version on a feed; 0n and undefined: the profile is gone. */
interface SeenVersion {
  readonly digest: bigint;
  readonly profile: Profile | undefined;
  readonly updatedAt: number;
}

/**
 * Follows a feed and keeps the digest of each profile in a table.
 * @param onVersion with what was seen
 */
export const followDigests = (
  home: FeedHome,
  topic: ProfilesTopic,
  { table, feed }: { readonly table: DigestTable; readonly feed: number },
  onVersion: (id: string, version: SeenVersion) => void = () => undefined,
): Promise<Reader> =>
  followTopic(home, topic, {}, (id, profile) => {
    const isThere = profile !== null && !profile.gone;
    const digest = isThere ? digestOf(profile) : 0n;
    const updatedAt = profile?.updated_at ?? NOW;
    table.see(feed, id, digest, updatedAt);
    onVersion(id, { digest, profile: isThere ? profile : undefined, updatedAt });
  });

/** What a feed says of some profiles: each as it is, or as of a time, and what led to it. Other profiles are not even decoded. */
export async function readSaid(
  home: FeedHome,
  topic: ProfilesTopic,
  ids: ReadonlySet<string>,
  at = NOW,
): Promise<ReadonlyMap<string, Said>> {
  const said = new Map<string, { profile: Profile | undefined; causes: Set<string> }>();
  for (const id of ids) said.set(id, { profile: undefined, causes: new Set() });
  if (ids.size === 0) return said;
  const wants = (key: string): boolean => ids.has(key);
  const reader = await followTopic(home, topic, { wants }, (id, profile) => {
    const one = said.get(id);
    if (!one || (profile?.updated_at ?? NOW) > at) return;
    one.profile = profile === null || profile.gone ? undefined : profile;
    for (const cause of profile?.causes ?? []) one.causes.add(cause);
  });
  try {
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
  return said;
}

/** Of a feed, who holds these identifiers, by their hashes: as it is, or as of a time. Reads it whole, unless there are none. */
export async function readHolders(
  home: FeedHome,
  topic: ProfilesTopic,
  hashes: ReadonlySet<string>,
  at = NOW,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (hashes.size === 0) return new Map();
  const held = new Map<string, readonly string[]>();
  const reader = await followTopic(home, topic, {}, (id, profile) => {
    if ((profile?.updated_at ?? NOW) > at) return;
    const some = profile && !profile.gone ? profile.identifiers.filter(({ hash }) => hashes.has(hash)) : [];
    if (some.length > 0)
      held.set(
        id,
        some.map(({ hash }) => hash),
      );
    else held.delete(id);
  });
  try {
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
  const holders = new Map<string, string[]>();
  for (const [id, some] of held) for (const hash of some) holders.set(hash, [...(holders.get(hash) ?? []), id]);
  return holders;
}
