import type { Trait, TraitOrigin } from '#schemas/generated/records.ts';
import { objectMembers } from '#shared/json/members.ts';
import { remembering } from '#shared/task/remembering.ts';
import { none } from './sorted.ts';

/*
 * A trait that is an object is kept by its parts: each value that is no object, with the names that lead to it. A tributary has the
 * newest of each path, be it hidden or not. What shows is a function of that set:
 *
 *   A value shows unless something newer was said at a path that leads to it, or that it leads to. null shows as nothing.
 *
 * So a later text in the place of an object hides the object's parts that are older, parts that are newer hide the text, and
 * `{"address": null}` takes away all that was known of the address before. An object without members says nothing.
 */

/** Between the names of a path. It sorts before all else, so that a path is followed by those below it; names that hold it are left out. */
const JOINT = '\0';

/** Calls back with path and JSON text of each part of the value at `start`. `hasJoint`: a name on the way holds what none may. */
export function eachPart(
  text: string,
  name: string,
  start: number,
  end: number,
  see: (path: string, value: string, hasJoint: boolean) => void,
): void {
  visit(text, name.toWellFormed(), start, end, see, name.includes(JOINT));
}

function visit(
  text: string,
  path: string,
  start: number,
  end: number,
  see: (path: string, value: string, hasJoint: boolean) => void,
  hasJoint: boolean,
): void {
  if (text.charCodeAt(start) !== 123) {
    see(path, text.slice(start, end), hasJoint);
    return;
  }
  for (const [name, span] of objectMembers(text, start))
    visit(text, path + JOINT + name.toWellFormed(), span.start, span.end, see, hasJoint || name.includes(JOINT));
}

/** Traits as a profile has them, and where their parts came from, if not from where the trait says. */
export interface Shown {
  readonly traits: readonly Trait[];
  readonly origins: readonly TraitOrigin[];
}

/** What shows of the newest of each path, sorted. */
export const shown = remembering(
  (parts: readonly Trait[]): Shown => (parts.some(isSpecial) ? shownOf(parts) : { traits: parts, origins: none }),
);

function shownOf(parts: readonly Trait[]): Shown {
  const traits: Trait[] = [];
  const origins: TraitOrigin[] = [];
  for (let from = 0; from < parts.length; ) {
    const part = parts[from] as Trait;
    const name = topOf(part.name);
    let to = from + 1;
    while (to < parts.length && isBelow((parts[to] as Trait).name, name)) to++;
    if (to === from + 1 && part.name === name) {
      if (part.value !== 'null') traits.push(part);
      from = to;
      continue;
    }
    const visible = visibleOf(parts.slice(from, to));
    from = to;
    const [first] = visible;
    if (!first) continue;
    if (first.name === name) {
      traits.push(first);
      continue;
    }
    const last = visible.reduce((a, b) => (isNewer(b, a) ? b : a));
    const { timestamp, message_id, source, sensitivity } = last;
    const below = visible.map((part) => ({ names: part.name.split(JOINT), value: part.value }));
    traits.push({ name, value: textOf(below, 1), timestamp, message_id, source, sensitivity });
    for (const part of visible)
      if (part.message_id !== message_id || part.source !== source || part.timestamp !== timestamp)
        origins.push({
          path: pointerOf(part.name),
          timestamp: part.timestamp,
          message_id: part.message_id,
          source: part.source,
        });
  }
  return { traits, origins };
}

const isSpecial = ({ name, value }: Trait): boolean => value === 'null' || name.includes(JOINT);
const isBelow = (path: string, above: string): boolean => path.startsWith(above) && path[above.length] === JOINT;

function topOf(path: string): string {
  const joint = path.indexOf(JOINT);
  return joint < 0 ? path : path.slice(0, joint);
}

/** Of paths with one beginning those that show: none of them leads to another. */
function visibleOf(parts: readonly Trait[]): readonly Trait[] {
  const hidden = new Set<Trait>();
  const above: Trait[] = [];
  for (const part of parts) {
    while (above.length > 0 && !isBelow(part.name, (above.at(-1) as Trait).name)) above.pop();
    for (const other of above) hidden.add(isNewer(part, other) ? other : part);
    above.push(part);
  }
  return parts.filter((part) => !hidden.has(part) && part.value !== 'null');
}

/** Said by a later event; of one event that says both, what stands above hides what stands below. */
function isNewer(a: Trait, b: Trait): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  if (a.message_id !== b.message_id) return a.message_id > b.message_id;
  return a.source > b.source;
}

interface Part {
  readonly names: readonly string[];
  readonly value: string;
}

/** The object that has these parts, sorted, below the first `depth` names. */
function textOf(parts: readonly Part[], depth: number): string {
  const members: string[] = [];
  for (let from = 0; from < parts.length; ) {
    const { names, value } = parts[from] as Part;
    const name = names[depth] as string;
    let to = from + 1;
    while (to < parts.length && (parts[to] as Part).names[depth] === name) to++;
    const text = names.length === depth + 1 ? value : textOf(parts.slice(from, to), depth + 1);
    members.push(`${JSON.stringify(name)}:${text}`);
    from = to;
  }
  return `{${members.join(',')}}`;
}

/** The trait that it is a part of. */
export const nameOfOrigin = ({ path }: TraitOrigin): string =>
  (path.split('/', 2)[1] as string).replaceAll('~1', '/').replaceAll('~0', '~');

/** RFC 6901. */
const pointerOf = (path: string): string =>
  path
    .split(JOINT)
    .map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
