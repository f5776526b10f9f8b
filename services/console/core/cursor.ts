import { z } from 'zod';
import { LATEST_TIME } from './times.ts';

const whole = z.int().nonnegative();
/** Of ClickHouse's types: what they cannot hold is no place either. */
const time = whole.max(LATEST_TIME);
const partition = whole.max(2 ** 32 - 1);
const formats = {
  /** Of an event: received time in milliseconds, source, message id, hash of the routing identifier. */
  events: z.tuple([time, z.string(), z.string(), z.string()]),
  /**
   * Of a profile's version (0: all were told), and of what happened to an identifier: time in milliseconds, version, partition and
   * offset (null: all was told).
   */
  history: z.tuple([whole, z.tuple([time, whole, partition, whole]).nullable()]),
};

/** Where the last page ended, in an order that no two rows share a place of: so the next page begins right after it. */
export type Place<L extends keyof typeof formats> = z.infer<(typeof formats)[L]>;

/** The place as callers hand it back: nothing that they need understand. */
export const cursorOf = (place: Place<keyof typeof formats>): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/** Undefined when the text is no cursor of this list. */
export function placeIn<L extends keyof typeof formats>(list: L, cursor: string): Place<L> | undefined {
  try {
    return formats[list].parse(JSON.parse(Buffer.from(cursor, 'base64url').toString())) as Place<L>;
  } catch {
    return undefined;
  }
}
