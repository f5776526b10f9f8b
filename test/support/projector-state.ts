import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProfileState, Tributary } from '#schemas/generated/records.ts';
import type { Codec } from '#shared/kafka/codec.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { DiskState, type StatePosition } from '#shared/task/disk-state.ts';
import { ownStores } from '#shared/task/surroundings.ts';
import { createProjector } from '../../services/profile-projector/projector.ts';
import type { River } from './river.ts';

/** What the first generation's projector keeps of one profile on its disk. */
export interface ProfileOnDisk {
  readonly state: ProfileState;
  /** By hash of the identifier. */
  readonly tributaries: ReadonlyMap<string, Tributary>;
}

const { stores } = createProjector({ generation: 1 });
const allStores = { ...stores, ...ownStores };

/**
 * Changes what is on disk of a profile, and in no changelog. A projector that runs holds some of it in memory, too: it goes by the disk
 * once it is started anew.
 */
export async function changeOnDisk(
  { installation }: River,
  dataDir: string,
  profileId: string,
  change: (profile: ProfileOnDisk) => ProfileOnDisk,
): Promise<void> {
  const directory = join(dataDir, 'state', 'g1', 'projector');
  const partition = partitionOf(profileId, readdirSync(directory).length);
  const codecs = new Map<string, Codec>();
  for (const [name, { record }] of Object.entries(allStores))
    codecs.set(name, await installation.codecs.ofRecord(installation.prefix, record));
  const disk = new DiskState(join(directory, String(partition)), allStores, codecs);
  try {
    await disk.learnSchemas();
    const place = (hash: string): string => `${profileId}/${hash}`;
    const state = disk.get('profile', profileId) as ProfileState | undefined;
    if (!state) throw new Error(`nothing is on disk of profile ${profileId}`);
    const held = state.members.map((hash) => [hash, disk.get('tributary', place(hash)) as Tributary] as const);
    const before: ProfileOnDisk = { state, tributaries: new Map(held) };
    const after = change(before);
    const bytesOf = (store: string, value: unknown): Buffer => (codecs.get(store) as Codec).encode(value as never);
    const hashes = [...new Set([...before.tributaries.keys(), ...after.tributaries.keys()])];
    const changes = hashes.map((hash) => {
      const tributary = after.tributaries.get(hash);
      return { store: 'tributary', key: place(hash), bytes: tributary ? bytesOf('tributary', tributary) : null };
    });
    const whole = { store: 'profile', key: profileId, bytes: bytesOf('profile', after.state) };
    await disk.apply([...changes, whole], disk.position as StatePosition);
  } finally {
    await disk.close();
  }
}
