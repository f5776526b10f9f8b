/** A version of a profile. */
export interface Version {
  readonly version: number;
  /** 0n: it is gone. */
  readonly digest: bigint;
}

/**
 * What ClickHouse has of a profile, beside what the feed says of it. A version never changes: so of one version both say the same, and of
 * different ones nothing can be told.
 */
export type Standing = 'same' | 'differs' | 'behind' | 'ahead';

export function standingOf(feed: Version, warehouse: Version | undefined): Standing {
  if (!warehouse || warehouse.version < feed.version) return 'behind';
  if (warehouse.version > feed.version) return 'ahead';
  return warehouse.digest === feed.digest ? 'same' : 'differs';
}
