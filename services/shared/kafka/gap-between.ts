/**
 * Why a batch does not follow what was read before, if so. kafkajs resets an offset that is out of range by itself: forwards where
 * records have expired, backwards where the log has become shorter, and then hands out other records under offsets that were read.
 * @param expected offset that comes next
 * @param fetched offset that the batch was asked for
 * @param end the log's end (high watermark) as the batch tells it
 */
export function gapBetween(expected: number, fetched: number, end: number): string | undefined {
  if (fetched > expected) return `was read to ${expected}, but the log goes on at ${fetched}`;
  if (fetched < expected && end < expected) return `was read to ${expected}, but the log ends at ${end}`;
  return undefined;
}
