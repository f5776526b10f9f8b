import { isMap, isNode, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { type Grant, type Scope, scopeNames } from './scopes.ts';

/** The name of the installation's own token, which may do everything. */
export const OWN_TOKEN = 'api-token';

const token = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'must have 1 to 64 letters, digits, dots, dashes or underscores')
    .refine((name) => name !== OWN_TOKEN, `must not be ${OWN_TOKEN}`),
  /** Hexadecimal SHA-256 of the token: the file opens nothing. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the token, 64 hexadecimal digits in small letters'),
  scopes: z
    .array(z.enum(['all', ...scopeNames], { error: `must be all or one of ${scopeNames.join(', ')}` }))
    .min(1, 'must name a scope'),
  rateLimit: z.strictObject({ requestsPerSecond: z.number().min(0.1), burst: z.number().int().min(1) }).optional(),
});
const file = z.strictObject({ tokens: z.array(token) });

/** Who may come with which token, by its hash. */
export type Grants = ReadonlyMap<string, Grant>;

/**
 * Reads `tokens: [{name, sha256, scopes, rateLimit}]`, YAML or JSON.
 * @returns all of them, or every mistake as `line:column path: what is wrong`; never a text of the file, where somebody may have put
 * a token itself
 */
export function readTokens(
  text: string,
  usual: Grant['limit'],
): { readonly grants: Grants } | { readonly errors: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const say = (at: number, path: readonly PropertyKey[], wrong: string): string => {
    const { line, col } = lines.linePos(at);
    return `${Math.max(line, 1)}:${Math.max(col, 1)} ${path.length > 0 ? `${path.map(String).join('.')}: ` : ''}${wrong}`;
  };
  if (document.errors.length > 0)
    return { errors: document.errors.map(({ pos, code }) => say(pos[0], [], `is no YAML (${code})`)) };
  let content: unknown;
  try {
    content = document.toJS();
  } catch {
    return { errors: [say(0, [], 'is no YAML (aliases)')] };
  }
  const at = (path: readonly PropertyKey[]): number => placeOf(document.contents, path);
  const read = file.safeParse(content ?? {});
  if (!read.success)
    return {
      errors: read.error.issues.map((issue) =>
        issue.code === 'unrecognized_keys'
          ? // What is no name may be a token that was written into the wrong place.
            say(at(issue.path), issue.path, 'has a field that there is not')
          : say(at(issue.path), issue.path, issue.message),
      ),
    };
  const grants = new Map<string, Grant>();
  const names = new Set<string>();
  const errors: string[] = [];
  for (const [i, { name, sha256, scopes, rateLimit }] of read.data.tokens.entries()) {
    if (names.has(name)) errors.push(say(at(['tokens', i, 'name']), ['tokens', i, 'name'], 'is there twice'));
    if (grants.has(sha256)) errors.push(say(at(['tokens', i, 'sha256']), ['tokens', i, 'sha256'], 'is there twice'));
    names.add(name);
    grants.set(sha256, {
      name,
      scopes: new Set(scopes.flatMap((scope): readonly Scope[] => (scope === 'all' ? scopeNames : [scope]))),
      limit: rateLimit ? { perSecond: rateLimit.requestsPerSecond, burst: rateLimit.burst } : usual,
    });
  }
  return errors.length > 0 ? { errors } : { grants };
}

/** Where what the path names stands; or, where it is missing, what it is missing from. */
function placeOf(contents: unknown, path: readonly PropertyKey[]): number {
  let node = contents as Node | null;
  let at = node?.range?.[0] ?? 0;
  for (const step of path) {
    const inner: unknown =
      isMap(node) || (isNode(node) && 'items' in node)
        ? (node as unknown as { get(key: unknown, keepScalar: true): unknown }).get(step, true)
        : undefined;
    if (!isNode(inner)) return at;
    node = inner;
    at = inner.range?.[0] ?? at;
  }
  return at;
}
