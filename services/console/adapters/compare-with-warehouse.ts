import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '#shared/profiles/digest.ts';
import { standingOf, type Version } from '../core/compare/standing.ts';
import { toldAsDigested } from '../core/compare/told-as-digested.ts';
import type { Warehouse } from './warehouse.ts';

/** Profiles of which ClickHouse has something else than the feed. */
export interface WarehouseDifferences {
  /** Of the same version. */
  readonly differing: readonly string[];
  /** It has an older version, or none, and did not read this one meanwhile. */
  readonly behind: readonly string[];
}

/** Ids are part of an address, which may not be longer. */
const AT_ONCE = 100;
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 1_000;

/** Whether ClickHouse has of some profiles what the feed says. It reads the feed by itself, a moment later: that is waited for. @throws AbortError */
export async function compareWithWarehouse(
  warehouse: Warehouse,
  profiles: ReadonlyMap<string, Version>,
  signal?: AbortSignal,
): Promise<WarehouseDifferences> {
  const differing: string[] = [];
  let open = [...profiles];
  for (let looks = 1; open.length > 0; looks++) {
    const behind: typeof open = [];
    for (let at = 0; at < open.length; at += AT_ONCE) {
      const some = open.slice(at, at + AT_ONCE);
      const now = await warehouse.profilesNow(some.map(([id]) => id));
      for (const [id, version] of some) {
        const there = now.get(id);
        const digest = there?.told ? digestOf(toldAsDigested(there.told)) : 0n;
        const standing = standingOf(version, there && { version: there.version, digest });
        if (standing === 'differs') differing.push(id);
        else if (standing === 'behind') behind.push([id, version]);
      }
    }
    open = behind;
    if (looks === LOOKS) break;
    if (open.length > 0) await sleep(BETWEEN_LOOKS_MS, undefined, { signal });
  }
  return { differing: differing.sort(), behind: open.map(([id]) => id).sort() };
}
