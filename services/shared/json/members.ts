/** Where a value stands in a JSON text: `text.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Index after the value that begins at `at`. The text must be valid JSON (parse it first). */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  if (first !== 123 && first !== 91) {
    let end = at;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === 44 || code === 125 || code === 93 || code <= 32) break;
    }
    return end;
  }
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = skipString(text, i) - 1;
    else if (code === 123 || code === 91) depth++;
    else if (code === 125 || code === 93) {
      depth--;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end !== -1) {
    let back = end - 1;
    while (text.charCodeAt(back) === BACKSLASH) back--;
    if ((end - back) % 2 === 1) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function skipSpace(text: string, at: number): number {
  let i = at;
  while (text.charCodeAt(i) <= 32) i++;
  return i;
}

/** A member of an object: the span of its value, its name, and where that begins. */
interface Member extends Span {
  readonly name: string;
  readonly from: number;
}

/**
 * Goes through the object that begins at `at` in a valid JSON text.
 * @param see where each member's name begins and ends, with its quotes, and its value
 */
function eachMember(
  text: string,
  at: number,
  see: (from: number, nameEnd: number, start: number, end: number) => void,
): void {
  let i = skipSpace(text, at);
  if (text[i] !== '{') return;
  i = skipSpace(text, i + 1);
  while (text[i] === '"') {
    const nameEnd = skipString(text, i);
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = skipValue(text, start);
    see(i, nameEnd, start, end);
    i = skipSpace(text, end);
    if (text[i] !== ',') break;
    i = skipSpace(text, i + 1);
  }
}

function nameIn(text: string, from: number, nameEnd: number): string {
  const raw = text.slice(from + 1, nameEnd - 1);
  return raw.includes('\\') ? (JSON.parse(text.slice(from, nameEnd)) as string) : raw;
}

/** All members of the object that begins at `at` in a valid JSON text, also those that a later one of the same name overrides. */
function everyMember(text: string, at: number): Member[] {
  const members: Member[] = [];
  eachMember(text, at, (from, nameEnd, start, end) => {
    members.push({ name: nameIn(text, from, nameEnd), from, start, end });
  });
  return members;
}

/**
 * The members of the object that begins at `at` in a valid JSON text, with the span of each value, so that numbers can be
 * read as they were written. Of repeated keys the last counts, as in JSON.parse.
 */
export function objectMembers(text: string, at = 0): Map<string, Span> {
  const members = new Map<string, Span>();
  for (const member of everyMember(text, at)) members.set(member.name, member);
  return members;
}

/** As `objectMembers`, of one name: quicker. */
export function memberSpan(text: string, name: string, at = 0): Span | undefined {
  let found: Span | undefined;
  eachMember(text, at, (from, nameEnd, start, end) => {
    // A name that is written with escapes is longer than it is.
    const length = nameEnd - from - 2;
    if (length >= name.length && nameIn(text, from, nameEnd) === name) found = { start, end };
  });
  return found;
}

/** A valid JSON text without the member that a path leads to, however often it is there. All else stays as it was written. */
export function withoutMember(text: string, ...path: readonly string[]): string {
  let result = '';
  let at = 0;
  for (const { start, end } of cutsOf(text, 0, path)) {
    result += text.slice(at, start);
    at = end;
  }
  return result + text.slice(at);
}

/** What to cut out of an object: a member with the comma before it, or after it where none is left before it. */
function cutsOf(text: string, at: number, [name, ...inside]: readonly string[]): Span[] {
  const members = everyMember(text, at);
  if (inside.length > 0)
    return members.filter((member) => member.name === name).flatMap(({ start }) => cutsOf(text, start, inside));
  const cuts: Span[] = [];
  let keeps = false;
  for (const [i, member] of members.entries()) {
    if (member.name !== name) keeps = true;
    else if (keeps) cuts.push({ start: members[i - 1]?.end ?? member.from, end: member.end });
    else cuts.push({ start: member.from, end: members[i + 1]?.from ?? member.end });
  }
  return cuts;
}

/** The spans of the elements of the array that begins at `at` in a valid JSON text. */
export function arrayElements(text: string, at = 0): Span[] {
  const elements: Span[] = [];
  let i = skipSpace(text, at);
  if (text[i] !== '[') return elements;
  i = skipSpace(text, i + 1);
  while (i < text.length && text[i] !== ']') {
    const end = skipValue(text, i);
    elements.push({ start: i, end });
    i = skipSpace(text, end);
    if (text[i] !== ',') break;
    i = skipSpace(text, i + 1);
  }
  return elements;
}

/** The text of one member of an object, such as `memberText(payload, 'properties', 'revenue')`; undefined when absent. */
export function memberText(text: string, ...path: readonly string[]): string | undefined {
  let at = 0;
  let span: Span | undefined;
  for (const name of path) {
    span = memberSpan(text, name, at);
    if (!span) return undefined;
    at = span.start;
  }
  return span && text.slice(span.start, span.end);
}
