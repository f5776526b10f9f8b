import { describe, expect, it } from 'vitest';
import type { LoggedEvent } from './event-log.ts';
import { readingAhead } from './read-ahead.ts';

/** Slices of two events each; those that are `broken` cannot be read. */
function aLog() {
  const asked: string[] = [];
  const open = new Set<string>();
  const broken = new Set<number>();
  const read = readingAhead(async function* (below, slice, slices) {
    const name = `${slice}/${slices} below ${below[0]}`;
    asked.push(name);
    open.add(name);
    try {
      await Promise.resolve();
      if (broken.has(slice)) throw new Error(`${slice} is away`);
      for (const n of [0, 1]) yield [{ message_id: `${below[0]}-${slice}-${n}` } as LoggedEvent];
    } finally {
      open.delete(name);
    }
  });
  const idsOf = async (below: number, slice: number): Promise<string[]> => {
    const events = await Array.fromAsync(read([below], slice, 3));
    return events.flat().map(({ message_id }) => message_id);
  };
  return { read, idsOf, asked, open, broken };
}

describe('reading ahead', () => {
  it('gives each slice, and has asked for the next by then; for none after the last', async () => {
    const { idsOf, asked } = aLog();
    expect(await idsOf(9, 0)).toEqual(['9-0-0', '9-0-1']);
    expect(asked).toEqual(['0/3 below 9', '1/3 below 9']);
    expect(await idsOf(9, 1)).toEqual(['9-1-0', '9-1-1']);
    expect(await idsOf(9, 2)).toEqual(['9-2-0', '9-2-1']);
    expect(asked).toEqual(['0/3 below 9', '1/3 below 9', '2/3 below 9']);
  });

  it('gives no slice of another reading, and lets go of it', async () => {
    const { idsOf, open } = aLog();
    await idsOf(9, 0);
    expect(await idsOf(12, 1)).toEqual(['12-1-0', '12-1-1']);
    expect([...open]).toEqual(['2/3 below 12']);
    expect(await idsOf(9, 1)).toEqual(['9-1-0', '9-1-1']);
  });

  it('tells what kept a slice from being read to whoever asks for it, and tries again when asked again', async () => {
    const { idsOf, broken } = aLog();
    broken.add(1);
    await idsOf(9, 0);
    await expect(idsOf(9, 1)).rejects.toThrow('1 is away');
    await expect(idsOf(9, 1)).rejects.toThrow('1 is away');
    broken.clear();
    expect(await idsOf(9, 1)).toEqual(['9-1-0', '9-1-1']);
  });

  it('gives a slice once more, where what was made of it was not kept', async () => {
    const { idsOf } = aLog();
    await idsOf(9, 0);
    expect(await idsOf(9, 0)).toEqual(['9-0-0', '9-0-1']);
    expect(await idsOf(9, 1)).toEqual(['9-1-0', '9-1-1']);
  });

  it('begins anew after somebody stopped in the middle', async () => {
    const { read, idsOf, open } = aLog();
    for await (const _ of read([9], 0, 3)) break;
    expect(open.size).toBe(0);
    expect(await idsOf(9, 0)).toEqual(['9-0-0', '9-0-1']);
  });
});
