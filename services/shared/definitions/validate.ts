import { type Document, isMap, isNode, isPair, isScalar, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { faultsOfIdentityRules } from './faults-of-identity-rules.ts';
import { type DefinitionBodies, type DefinitionKind, definitionKinds } from './kinds.ts';
import { type Mistake, mistakesAmong } from './mistakes-among.ts';

/** A definition as somebody wants it to be. */
export interface Wanted<K extends DefinitionKind = DefinitionKind> {
  readonly kind: K;
  readonly name: string;
  /** Undefined: it shall be no more. */
  readonly body: DefinitionBodies[K] | undefined;
}

const fields = new Set(['kind', 'name', 'spec', 'delete']);
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** What a name must be besides a name. A destination's, or a webhook's, becomes part of topics, where `.dead` has a meaning. */
function faultOfName(kind: DefinitionKind, name: string): string | undefined {
  if (!NAME.test(name)) return 'must have 1 to 64 letters, digits, dots, dashes or underscores';
  if ((kind === 'destination' || kind === 'profile_webhook') && name.includes('.'))
    return `of a ${kind} must not have dots`;
  if (kind === 'identity_rules' && name !== 'default') return 'of identity_rules must be default';
  return undefined;
}

/**
 * Reads definitions from YAML or JSON: one or several documents, each `{kind, name, spec}`, or `{kind, name, delete: true}`. A
 * document may also be a list of these.
 * @param file name to show in errors
 * @returns either all definitions, or every mistake as `file:line:column path: what is wrong`; `describe` says so of mistakes that show
 * only beside what is in force
 */
export function validateDefinitions(
  text: string,
  file: string,
):
  | { readonly definitions: readonly Wanted[]; readonly describe: (mistake: Mistake) => string }
  | { readonly errors: readonly string[] } {
  const lines = new LineCounter();
  const errors: { readonly at: number; readonly text: string }[] = [];
  const describe = (at: number, path: string, wrong: string): string => {
    const { line, col } = lines.linePos(at);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)} ${path ? `${path}: ` : ''}${wrong}`;
  };
  const say = (at: number, path: string, wrong: string): void => {
    errors.push({ at, text: describe(at, path, wrong) });
  };
  const definitions: Wanted[] = [];
  /** Where something of a definition stands, by `kind/name`. */
  const places = new Map<string, (path: readonly PropertyKey[]) => number>();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents = 'empty' in parsed ? [] : parsed;
  for (const document of documents) {
    for (const { pos, message } of document.errors) say(pos[0], '', message);
    if (document.errors.length > 0) continue;
    let content: unknown;
    try {
      content = document.toJS();
    } catch (error) {
      say(document.range[0], '', error instanceof Error ? error.message : 'cannot be read');
      continue;
    }
    if (content === null || content === undefined) continue;
    const entries: [unknown, readonly PropertyKey[]][] = Array.isArray(content)
      ? content.map((entry, i) => [entry, [i]])
      : [[content, []]];
    for (const [entry, path] of entries) {
      const wanted = wantedOf(entry, (inner, wrong, isField) =>
        say(placeOf(document, [...path, ...inner], isField), inner.map(String).join('.'), wrong),
      );
      if (!wanted) continue;
      if (definitions.some(({ kind, name }) => kind === wanted.kind && name === wanted.name))
        say(placeOf(document, [...path, 'name']), 'name', `${wanted.kind}/${wanted.name} is defined twice`);
      definitions.push(wanted);
      places.set(`${wanted.kind}/${wanted.name}`, (inner) => placeOf(document, [...path, ...inner]));
    }
  }
  const placed = ({ kind, name, path, wrong }: Mistake) =>
    [places.get(`${kind}/${name}`)?.(path) ?? 0, path.map(String).join('.'), wrong] as const;
  for (const mistake of mistakesAmong(definitions)) say(...placed(mistake));
  if (errors.length > 0) return { errors: errors.sort((a, b) => a.at - b.at).map((error) => error.text) };
  return definitions.length > 0
    ? { definitions, describe: (mistake) => describe(...placed(mistake)) }
    : { errors: [`${file}:1:1 has no definitions`] };
}

function wantedOf(
  entry: unknown,
  say: (path: readonly PropertyKey[], wrong: string, isField?: boolean) => void,
): Wanted | undefined {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    say([], 'must be a definition: kind, name and spec');
    return undefined;
  }
  const { kind, name, spec, delete: deleted } = entry as Record<string, unknown>;
  let ok = true;
  const wrong = (path: readonly PropertyKey[], what: string, isField = false): void => {
    ok = false;
    say(path, what, isField);
  };
  for (const field of Object.keys(entry))
    if (!fields.has(field)) wrong([field], 'no such field; there are kind, name, spec and delete', true);
  const schema =
    typeof kind === 'string' && Object.hasOwn(definitionKinds, kind)
      ? definitionKinds[kind as DefinitionKind]
      : undefined;
  if (!schema) wrong(['kind'], `must be one of ${Object.keys(definitionKinds).join(', ')}`);
  if (typeof name !== 'string') wrong(['name'], 'must be a text');
  else if (schema) {
    const fault = faultOfName(kind as DefinitionKind, name);
    if (fault) wrong(['name'], fault);
  }
  if (deleted !== undefined && deleted !== true) wrong(['delete'], 'must be true or absent');
  if (deleted === true && spec !== undefined) wrong(['spec'], 'must be absent where delete is true');
  if (deleted === true || !schema)
    return ok ? { kind: kind as DefinitionKind, name: name as string, body: undefined } : undefined;
  const result = schema.safeParse(spec ?? {});
  if (!result.success) {
    for (const issue of result.error.issues) {
      const path = ['spec', ...issue.path];
      if (issue.code === 'unrecognized_keys')
        for (const key of issue.keys) wrong([...path, key], 'no such field', true);
      else wrong(path, issue.message);
    }
  } else if (kind === 'identity_rules') {
    for (const fault of faultsOfIdentityRules(result.data as DefinitionBodies['identity_rules']))
      wrong(['spec', ...fault.path], fault.wrong);
  }
  return ok && result.success
    ? { kind: kind as DefinitionKind, name: name as string, body: result.data as Wanted['body'] }
    : undefined;
}

/** Where what the path names stands, or its name; or, where it is missing, what it is missing from. */
function placeOf(document: Document, path: readonly PropertyKey[], ofName = false): number {
  let node: unknown = document.contents;
  let at = (node as Node | null)?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (!pair) return at;
      const key = pair.key as Node;
      if (ofName && depth === path.length - 1) return key.range?.[0] ?? at;
      at = (isNode(pair.value) ? pair.value.range?.[0] : undefined) ?? key.range?.[0] ?? at;
      node = pair.value;
    } else if (isNode(node) && 'items' in node) {
      node = (node.items as unknown[])[Number(step)];
      if (!isNode(node)) return at;
      at = node.range?.[0] ?? at;
    } else return at;
  }
  return at;
}
