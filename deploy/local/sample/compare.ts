import { topics } from '#schemas/topics.ts';
import { followDefinitions } from '#shared/definitions/feed.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { createLog } from '#shared/service/log.ts';
import { type Installation, readRecords } from './kafka-records.ts';
import type { ProfileFeed } from './profile-feed.ts';
import { type RecordedEvent, type Reference, referenceFold } from './reference-fold.ts';

export interface Comparison {
  readonly reference: Reference;
  /** Ids of profiles that differ, or that only one side has. */
  readonly differing: readonly string[];
}

/** Folds what `events.collected` holds once more, without trouble, and compares the profiles on the feed with that. */
export async function compareWithReference(
  installation: Installation,
  feed: ProfileFeed,
  secret: Buffer,
): Promise<Comparison> {
  const { kafka, codecs, prefix, generation } = installation;
  const events = (await readRecords(installation, topics.eventsCollected)).filter(
    (record): record is RecordedEvent & typeof record => record.value !== null,
  );
  const definitions = await followDefinitions(kafka, codecs, prefix, createLog('sample', 'silent'), () => undefined);
  const reference = await referenceFold(events, {
    hashing: hashingWith(secret),
    generation,
    definitions: definitions.current(),
    now: Date.now(),
  });
  await definitions.stop();
  const ids = new Set([...reference.profiles.keys(), ...feed.profiles.keys()]);
  const differing = [...ids].filter((id) => {
    const [left, right] = [reference.profiles.get(id), feed.profiles.get(id)];
    return !left || !right || canonicalProfile(left) !== canonicalProfile(right);
  });
  return { reference, differing };
}
