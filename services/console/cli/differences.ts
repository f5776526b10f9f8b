/** One place where two values differ; undefined where there is nothing. */
export interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The places where two JSON values differ, as deep as possible. Lists are compared element by element. */
export function differencesBetween(before: unknown, after: unknown, path = ''): Difference[] {
  if (Object.is(before, after)) return [];
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after))
    return [{ path: path || '.', before, after }];
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return fields.flatMap((field) => differencesBetween(before[field], after[field], path ? `${path}.${field}` : field));
}

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
