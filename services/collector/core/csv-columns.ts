type CellType = 'string' | 'number' | 'boolean' | 'json';

/** The columns of a CSV as the tree of an event's members. */
interface Member {
  /** With its colon, as it is written. */
  readonly name: string;
  readonly cell?: { readonly index: number; readonly type: CellType; readonly field: string };
  readonly members: Map<string, Member>;
}
export interface Columns {
  readonly count: number;
  readonly members: ReadonlyMap<string, Member>;
}

const MOST_DEPTH = 20;
const MOST_NAMED = 5;

const plain = new Set([
  'type',
  'event',
  'userId',
  'anonymousId',
  'previousId',
  'groupId',
  'messageId',
  'name',
  'category',
  'timestamp',
  'originalTimestamp',
]);
const objects = new Set(['properties', 'traits', 'context', 'integrations']);
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A cell as JSON text; undefined where it is none of its type. */
const readers: Readonly<Record<CellType, (cell: string) => string | undefined>> = {
  string: (cell) => JSON.stringify(cell),
  number: (cell) => (NUMBER.test(cell) ? cell : undefined),
  boolean: (cell) => /^(?:true|false)$/i.exec(cell)?.[0].toLowerCase(),
  json(cell) {
    try {
      JSON.parse(cell);
      return cell.trim();
    } catch {
      return undefined;
    }
  },
};

interface Field {
  readonly path: readonly string[];
  readonly type: CellType;
}

/** `properties.price:number` */
function typed(text: string): { name: string; type: CellType } {
  const at = text.lastIndexOf(':');
  const type = text.slice(at + 1);
  return at >= 0 && Object.hasOwn(readers, type)
    ? { name: text.slice(0, at), type: type as CellType }
    : { name: text, type: 'string' };
}

function fieldOf(text: string): Field | undefined {
  const { name, type } = typed(text);
  const path = name.split('.');
  const [first = '', second] = path;
  if (path.length > MOST_DEPTH || path.includes('')) return undefined;
  return (plain.has(first) && second === undefined) || (objects.has(first) && (second !== undefined || type === 'json'))
    ? { path, type }
    : undefined;
}

/**
 * What the header of a CSV says, with what it was told of columns: `NAME=FIELD`, with an empty field for one that is left out, and
 * `*=FIELD` for all others, each under its name.
 * @returns the mistakes in it, or the columns
 */
export function columnsOf(header: readonly string[], mapping: readonly string[]): Columns | string {
  const mistakes: string[] = [];
  const names = header.map((name) => name.trim());
  const mapped = new Map<string, string>();
  for (const entry of mapping) {
    const at = entry.lastIndexOf('=');
    const name = entry.slice(0, at).trim();
    if (at < 0) mistakes.push(`${shown(entry)} is not NAME=FIELD`);
    else if (name !== '*' && !names.includes(name)) mistakes.push(`there is no column ${shown(name)}`);
    else mapped.set(name, entry.slice(at + 1).trim());
  }
  const others = mapped.get('*');
  const under = others === undefined || others === '' ? undefined : fieldOf(`${others}:json`);
  if (others && (!under || !objects.has(under.path[0] ?? ''))) mistakes.push(`${shown(others)} holds no other fields`);
  const root: Member = { name: '', members: new Map() };
  for (const [index, name] of names.entries()) {
    const said = mapped.get(name);
    if (said === '') continue;
    let field = fieldOf(said ?? name);
    if (!field && said === undefined) {
      if (others === '') continue;
      const other = typed(name);
      if (under && other.name !== '') field = { path: [...under.path, other.name], type: other.type };
    }
    if (!field) mistakes.push(`column ${index + 1}, ${shown(said ?? name)}, is not a field of an event`);
    else if (!put(root, field, index)) mistakes.push(`column ${index + 1}, ${shown(said ?? name)}, is there twice`);
  }
  if (mistakes.length === 0) return { count: names.length, members: root.members };
  const more = mistakes.length - MOST_NAMED;
  return `${mistakes.slice(0, MOST_NAMED).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const shown = (name: string): string => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);

/** @returns whether there was room: nothing of that name, and no value where others go */
function put(root: Member, { path, type }: Field, index: number): boolean {
  let at = root;
  for (const [depth, name] of path.entries()) {
    const isLast = depth === path.length - 1;
    const there = at.members.get(name);
    if (there && (isLast || there.cell)) return false;
    const next: Member = there ?? {
      name: `${JSON.stringify(name)}:`,
      members: new Map(),
      ...(isLast && { cell: { index, type, field: path.join('.') } }),
    };
    at.members.set(name, next);
    at = next;
  }
  return true;
}

/**
 * A row as the JSON text of an event. An empty cell is absent.
 * @param mistakes is given what is wrong with cells, without what they hold
 */
export function eventText({ members }: Columns, cells: readonly string[], mistakes: string[]): string {
  return objectText(members, cells, mistakes) ?? '{}';
}

function objectText(
  members: ReadonlyMap<string, Member>,
  cells: readonly string[],
  mistakes: string[],
): string | undefined {
  let text = '';
  for (const { name, cell, members: inside } of members.values()) {
    const value = cell ? cellText(cell, cells, mistakes) : objectText(inside, cells, mistakes);
    if (value !== undefined) text += `${text && ','}${name}${value}`;
  }
  return text === '' ? undefined : `{${text}}`;
}

function cellText(
  { index, type, field }: NonNullable<Member['cell']>,
  cells: readonly string[],
  mistakes: string[],
): string | undefined {
  const cell = cells[index];
  if (!cell) return undefined;
  const value = readers[type](cell);
  if (value === undefined) mistakes.push(`$.${field}: not ${type === 'json' ? 'JSON' : `a ${type}`}`);
  return value;
}
