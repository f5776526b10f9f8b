/**
 * The header `Retry-After`: seconds, or an HTTP date. Null where it is missing or makes no sense.
 * @param now milliseconds
 * @returns milliseconds from now
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  const text = header?.trim();
  if (!text) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!/[a-z]/i.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
