import { limits } from './limits.ts';

/**
 * What is told of an answer, as JSON of at most so many bytes as any other trait's value: of a list its first ones, as many as fit. What is
 * no list and longer is not told.
 */
export function toldText(answer: unknown): string | undefined {
  const text = JSON.stringify(answer);
  if (fits(text)) return text;
  if (!Array.isArray(answer)) return undefined;
  let room = limits.traitValueBytes - 2;
  let n = 0;
  for (const one of answer) {
    room -= Buffer.byteLength(JSON.stringify(one)) + (n > 0 ? 1 : 0);
    if (room < 0) break;
    n++;
  }
  return JSON.stringify(answer.slice(0, n));
}

const fits = (text: string): boolean =>
  text.length * 3 <= limits.traitValueBytes || Buffer.byteLength(text) <= limits.traitValueBytes;
