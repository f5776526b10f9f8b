/**
 * Amounts of money as integers: bigint *micros*, millionths of the unit. No float ever touches an amount, so sums are exact in
 * any order.
 *
 * ```
 * 77        77000000n      "77"
 * "77.00"   77000000n      "77"
 * 1e2       100000000n     "100"
 * -0.05     -50000n        "-0.05"
 * ```
 */

/** Decimal places that are kept. */
const SCALE = 6;

/** No amount has this many digits before the point: what has is a mistake, and would make sums as long as it likes. */
const MAX_INTEGER_DIGITS = 18;
/** Longer texts are not read. */
const MAX_LENGTH = 64;
const MAX_EXPONENT = 40;

const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Reads an amount from its JSON text: a number, or a string that holds one and nothing else but space around it. Places after
 * the sixth are rounded half to even. Thousands separators, currency signs and decimal commas are not guessed at.
 *
 * @param json text of one JSON value. Total: undefined for whatever is not an amount below 10^18.
 */
export function parseMicros(json: string): bigint | undefined {
  if (json.length > MAX_LENGTH) return undefined;
  const quoted = json.charCodeAt(0) === 34;
  if (quoted && (json.length < 2 || json.charCodeAt(json.length - 1) !== 34)) return undefined;
  const match = NUMBER.exec(quoted ? json.slice(1, -1).trim() : json.trim());
  if (!match) return undefined;
  const fraction = match[3] ?? '';
  const exponent = match[4] === undefined ? 0 : Number(match[4]);
  if (exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT) return undefined;
  const digits = ((match[2] as string) + fraction).replace(/^0+/, '');
  if (digits === '') return 0n;
  const shift = SCALE + exponent - fraction.length;
  if (digits.length + shift > MAX_INTEGER_DIGITS + SCALE) return undefined;
  const magnitude = shift >= 0 ? BigInt(digits + '0'.repeat(shift)) : roundHalfEven(digits, -shift);
  return match[1] === '-' ? -magnitude : magnitude;
}

/** Drops the last `places` digits. */
function roundHalfEven(digits: string, places: number): bigint {
  const kept = places >= digits.length ? 0n : BigInt(digits.slice(0, digits.length - places));
  const dropped = digits.padStart(places, '0').slice(-places);
  const half = `5${'0'.repeat(places - 1)}`;
  const up = dropped > half || (dropped === half && kept % 2n === 1n);
  return up ? kept + 1n : kept;
}

/** The shortest decimal text of an amount, without exponent. `parseMicros` reads it back. */
export function formatMicros(micros: bigint): string {
  const sign = micros < 0n ? '-' : '';
  const digits = (micros < 0n ? -micros : micros).toString().padStart(SCALE + 1, '0');
  const fraction = digits.slice(-SCALE).replace(/0+$/, '');
  const whole = digits.slice(0, -SCALE);
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}
