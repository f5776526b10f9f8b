type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;
// TypeScript's library does not know these two yet; Node 24 does.
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * A JSON text as a value that `JSON.stringify` writes with the same numbers, however large or precise. Undefined when it is
 * not JSON.
 */
export function exactly(text: string): unknown {
  try {
    return parse(text, (_, value, { source }) =>
      typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value,
    );
  } catch {
    return undefined;
  }
}
