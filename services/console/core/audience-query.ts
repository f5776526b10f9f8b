import type { Reference } from './reference.ts';

/** Whose audiences Optimizely's SDKs ask for, and which of them. */
export interface AudienceQuery {
  readonly reference: Reference;
  readonly subset: readonly string[];
}

/** By what Optimizely calls it. */
const IDENTIFIERS: Readonly<Record<string, string>> = {
  fs_user_id: 'user_id',
  vuid: 'anonymous_id',
  email: 'email',
};

const TOKEN = /[\s,]+|"(?:[^"\\\n]|\\.)*"|\$?[_A-Za-z]\w*|[{}()[\]:!]/gy;

/**
 * Reads the one query that Optimizely's SDKs send, whatever its blanks and its name, with its values in it or as variables:
 * `query {customer(fs_user_id : "u") {audiences(subset: ["a"]) {edges {node {name state}}}}}`. Undefined: it is another one.
 */
export function audienceQueryIn(
  query: string,
  variables: Readonly<Record<string, unknown>>,
): AudienceQuery | undefined {
  const tokens = tokensOf(query);
  if (!tokens) return undefined;
  let at = 0;
  const next = (): string | undefined => tokens[at++];
  const isNext = (...wanted: readonly string[]): boolean => wanted.every((token) => next() === token);
  const value = (): unknown => {
    const token = next();
    if (token?.startsWith('"')) return textOf(token);
    return token?.startsWith('$') && Object.hasOwn(variables, token.slice(1)) ? variables[token.slice(1)] : undefined;
  };
  const list = (): unknown => {
    if (tokens[at] !== '[') return value();
    at++;
    const values: unknown[] = [];
    while (tokens[at] !== ']' && at < tokens.length) values.push(value());
    at++;
    return values;
  };

  if (!isNext('query')) return undefined;
  if (/^[_A-Za-z]/.test(tokens[at] ?? '')) at++;
  // Types of variables: what the values must be is checked below.
  if (tokens[at] === '(') while (at < tokens.length && next() !== ')');
  if (!isNext('{', 'customer', '(')) return undefined;
  const name = next() ?? '';
  const type = Object.hasOwn(IDENTIFIERS, name) ? IDENTIFIERS[name] : undefined;
  if (!isNext(':')) return undefined;
  const who = value();
  if (!isNext(')', '{', 'audiences', '(', 'subset', ':')) return undefined;
  const subset = list();
  if (!isNext(')', '{', 'edges', '{', 'node', '{', 'name', 'state', '}', '}', '}', '}', '}')) return undefined;
  if (at !== tokens.length || type === undefined || typeof who !== 'string' || who === '') return undefined;
  if (!Array.isArray(subset) || !subset.every((one) => typeof one === 'string')) return undefined;
  return { reference: { by: 'identifier', type, value: who }, subset };
}

function tokensOf(query: string): string[] | undefined {
  const tokens: string[] = [];
  let end = 0;
  for (const [token] of query.matchAll(TOKEN)) {
    end += token.length;
    if (!/^[\s,]/.test(token)) tokens.push(token);
  }
  return end === query.length ? tokens : undefined;
}

/** GraphQL's texts in quotes are JSON's, save for blanks that nobody sends. */
function textOf(token: string): string | undefined {
  try {
    return JSON.parse(token) as string;
  } catch {
    return undefined;
  }
}
