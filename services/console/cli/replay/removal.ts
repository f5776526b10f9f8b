import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import type { Admin } from '#shared/kafka/client.ts';
import { BackOff } from '#shared/service/back-off.ts';

/** What there is of a generation. */
export interface Remains {
  readonly groups: readonly string[];
  readonly topics: readonly string[];
  /** Its state on this machine; undefined where there is none. */
  readonly folder: string | undefined;
}

/** Whoever was killed stays a member of its groups until Kafka misses it. */
const LET_GO_MS = 60_000;

export const folderOf = (dataDirectory: string, generation: number): string =>
  join(dataDirectory, 'state', `g${generation}`);

export async function remainsOf(
  admin: Admin,
  { prefix, dataDirectory }: { readonly prefix: string; readonly dataDirectory: string },
  generation: number,
): Promise<Remains> {
  const { groups } = await askedAgain(() => admin.listGroups());
  const topics = await admin.listTopics();
  const folder = folderOf(dataDirectory, generation);
  return {
    groups: groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${prefix}g${generation}.`)),
    topics: topics.filter((topic) => topic.startsWith(`${prefix}internal.g${generation}.`)),
    folder: existsSync(folder) ? folder : undefined,
  };
}

/** Groups that have members. */
export async function runningOf(admin: Admin, { groups }: Pick<Remains, 'groups'>): Promise<string[]> {
  if (groups.length === 0) return [];
  const described = await askedAgain(() => admin.describeGroups([...groups]));
  return described.groups.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId);
}

/**
 * Removes what there is of a generation; its record already says that it is dropped, so whoever runs it lets go.
 * @param onWait called once when somebody has not let go yet
 * @returns what was removed; undefined where somebody does not let go: then all is as it was
 */
export async function remove(
  admin: Admin,
  where: { readonly prefix: string; readonly dataDirectory: string },
  generation: number,
  onWait: () => void,
): Promise<Remains | undefined> {
  const backOff = new BackOff(100, 1_000);
  for (;;) {
    const remains = await remainsOf(admin, where, generation);
    if ((await runningOf(admin, remains)).length === 0) {
      const { groups, topics, folder } = remains;
      if (groups.length > 0) await admin.deleteGroups([...groups]);
      if (topics.length > 0) await admin.deleteTopics({ topics: [...topics] });
      if (folder) rmSync(folder, { recursive: true, force: true });
      return remains;
    }
    if (backOff.failingMs === 0) onWait();
    if (backOff.failingMs > LET_GO_MS) return undefined;
    await backOff.failed();
  }
}
