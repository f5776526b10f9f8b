const DEEPEST = 4;
const MOST = 200;
const LONGEST = 100;

/**
 * Names of the fields in a value, as dotted paths, sorted; never the values. Elements of an array share the name `name[]`.
 * Deeper than four levels a field is named as a whole; of more than 200 names the first stay.
 */
export function fieldNamesOf(value: unknown): string[] {
  const names = new Set<string>();
  const visit = (part: unknown, path: string, depth: number): void => {
    if (part === undefined) return;
    if (Array.isArray(part) && part.length > 0 && depth < DEEPEST) {
      for (const element of part) visit(element, `${path}[]`, depth);
      return;
    }
    const entries =
      typeof part === 'object' && part !== null && !Array.isArray(part) && depth < DEEPEST ? Object.entries(part) : [];
    if (entries.length === 0) {
      if (path) names.add(path.slice(0, LONGEST));
      return;
    }
    for (const [name, inner] of entries) visit(inner, path ? `${path}.${name}` : name, depth + 1);
  };
  visit(value, '', 0);
  return [...names].sort().slice(0, MOST);
}
