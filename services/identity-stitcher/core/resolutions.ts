import type { IdentityMapping, Resolution } from '#schemas/generated/records.ts';

/** What a mapping does to what is known of its identifier: `stale` mappings were overtaken. */
export function resolutionAfter(known: Resolution | undefined, mapping: IdentityMapping): Resolution | 'stale' {
  if (known && known.version >= mapping.version) return 'stale';
  return { profile_id: mapping.profile_id, version: mapping.version, generation: mapping.generation };
}
