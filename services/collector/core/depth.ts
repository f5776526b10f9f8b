/** Levels of nesting that anything sent to us may have. */
export const MOST_DEPTH = 100;

const OPEN_BRACE = '{';
const OPEN_BRACKET = '[';

/** Whether a valid JSON text is nested more than `most` levels deep. */
export function deeperThan(text: string, most: number): boolean {
  // So deep takes as many opening brackets, and nearly all events have far fewer: to count them is quicker than to follow them.
  if (!hasMore(text, OPEN_BRACE, OPEN_BRACKET, most)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      i = text.indexOf('"', i + 1);
      while (i !== -1 && escaped(text, i)) i = text.indexOf('"', i + 1);
      if (i === -1) return false;
    } else if (code === 123 || code === 91) {
      if (++depth > most) return true;
    } else if (code === 125 || code === 93) depth--;
  }
  return false;
}

function hasMore(text: string, one: string, other: string, most: number): boolean {
  let count = 0;
  for (const character of [one, other]) {
    for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
      if (++count > most) return true;
    }
  }
  return false;
}

function escaped(text: string, quote: number): boolean {
  let back = quote - 1;
  while (text.charCodeAt(back) === 92) back--;
  return (quote - back) % 2 === 0;
}
