/** Kafka's records hold a megabyte, and more than the event's bytes stands in this one. */
const MOST_KEPT_BYTES = 900_000;

/** What is kept of a rejected event's bytes, and the message that says so: all of it, unless it could not be stored. */
export function keptOfRejected(bytes: Buffer, message: string): { readonly payload: Buffer; readonly message: string } {
  if (bytes.length <= MOST_KEPT_BYTES) return { payload: bytes, message };
  return {
    payload: bytes.subarray(0, MOST_KEPT_BYTES),
    message: `${message}; its first ${MOST_KEPT_BYTES} bytes are kept`,
  };
}
