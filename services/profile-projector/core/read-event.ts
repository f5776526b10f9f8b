import type { EventStitched } from '#schemas/generated/records.ts';

/** What profiles read of an event: as it is stitched, or as the log has it. */
export type ReadEvent = Omit<
  EventStitched,
  'user_id' | 'original_timestamp' | 'sent_at' | 'flags' | 'ip' | 'enrichment' | 'definitions'
>;
