import { describe, expect, test } from 'vitest';
import { PositionContradiction } from './errors.ts';
import { type Standing, whereToGoOn } from './positions.ts';

const standing = (changes: Partial<Standing>): Standing => ({
  place: 't/0',
  recorded: 100,
  committed: 100,
  logStart: 50,
  logEnd: 200,
  startFrom: 'earliest',
  ...changes,
});

describe('goes on', () => {
  test.each<[string, Partial<Standing>, number]>([
    ['where both records say', {}, 100],
    ['at the very start of what is left', { logStart: 100 }, 100],
    ['at the end', { logEnd: 100 }, 100],
    ['after everything expired, when everything was read', { logStart: 100, logEnd: 100 }, 100],
    ['at the log’s start the first time', { recorded: undefined, committed: undefined }, 50],
    ['at the log’s start although a client committed that', { recorded: undefined, committed: 50 }, 50],
    [
      'at the log’s end the first time, if so wanted',
      { recorded: undefined, committed: undefined, startFrom: 'latest' },
      200,
    ],
  ])('%s', (_, changes, expected) => {
    expect(whereToGoOn(standing(changes))).toBe(expected);
  });
});

describe('refuses to go on when', () => {
  test.each<[string, Partial<Standing>]>([
    ['the group’s offset is gone', { committed: undefined }],
    ['somebody set the group’s offset back', { committed: 60 }],
    ['somebody set the group’s offset forward', { committed: 150 }],
    ['records expired unread', { logStart: 101 }],
    ['the log is shorter than it was', { logEnd: 99 }],
    ['the task’s own record is gone', { recorded: undefined, committed: 100 }],
  ])('%s', (_, changes) => {
    expect(() => whereToGoOn(standing(changes))).toThrow(PositionContradiction);
  });
});
