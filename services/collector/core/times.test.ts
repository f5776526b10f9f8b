import { describe, expect, test } from 'vitest';
import { timeOf, timesOf } from './times.ts';

const RECEIVED = Date.UTC(2026, 10, 24, 12);
const iso = (time: number): string => new Date(time).toISOString();

describe('times as SDKs write them', () => {
  test.each([
    ['2026-11-23T17:15:19.052Z', Date.UTC(2026, 10, 23, 17, 15, 19, 52)],
    ['2026-11-23T17:15:31.223456+00:00', Date.UTC(2026, 10, 23, 17, 15, 31, 223)],
    ['2026-11-23T18:15:31+01:00', Date.UTC(2026, 10, 23, 17, 15, 31)],
    ['2026-11-23T17:15:31', Date.UTC(2026, 10, 23, 17, 15, 31)],
    ['2026-11-23 17:15:31.5', Date.UTC(2026, 10, 23, 17, 15, 31, 500)],
    ['1997-01-01', Date.UTC(1997, 0)],
    [1795454119052, 1795454119052],
    ['1', undefined],
    ['tomorrow', undefined],
    ['2026-13-01T00:00:00.000Z', undefined],
    ['0001-01-01T00:00:00.000Z', undefined],
    ['9999-01-01T00:00:00.000Z', undefined],
    [Number.MAX_VALUE, undefined],
    [true, undefined],
    [{}, undefined],
  ])('%j', (text, expected) => {
    expect(timeOf(text)).toBe(expected);
  });
});

describe('the corrected time', () => {
  test('takes the sender’s clock out', () => {
    const wrong = 3 * 3_600_000;
    expect(timesOf(iso(RECEIVED - 5_000 - wrong), iso(RECEIVED - wrong), RECEIVED)).toEqual({
      original: RECEIVED - 5_000 - wrong,
      sent: RECEIVED - wrong,
      timestamp: RECEIVED - 5_000,
      flags: [],
    });
  });

  test('is the original without a time of sending, and the received time without either', () => {
    expect(timesOf(iso(5), undefined, RECEIVED)).toEqual({ original: 5, sent: null, timestamp: 5, flags: [] });
    expect(timesOf('', null, RECEIVED)).toEqual({
      original: RECEIVED,
      sent: null,
      timestamp: RECEIVED,
      flags: ['no_timestamp'],
    });
  });

  test('of a historic order stays historic', () => {
    expect(timesOf('1997-01-01T00:00:00.000Z', iso(RECEIVED), RECEIVED)).toMatchObject({
      timestamp: Date.UTC(1997, 0),
      flags: [],
    });
  });

  test('is what the event gives beside its original time, if that is a time', () => {
    const of = (right: unknown) => timesOf(iso(RECEIVED - 5_000), iso(RECEIVED - 4_000), RECEIVED, right);
    expect(of('1997-01-01')).toMatchObject({ original: RECEIVED - 5_000, timestamp: Date.UTC(1997, 0), flags: [] });
    expect(of('yesterday')).toMatchObject({ timestamp: RECEIVED - 1_000 });
    expect(of(iso(RECEIVED + 86_400_001))).toMatchObject({ timestamp: RECEIVED, flags: ['future_timestamp'] });
  });

  test('is the received time when it would be more than a day ahead of it', () => {
    const ahead = iso(RECEIVED + 86_400_001);
    expect(timesOf(ahead, undefined, RECEIVED)).toMatchObject({ timestamp: RECEIVED, flags: ['future_timestamp'] });
    expect(timesOf(iso(RECEIVED + 86_400_000), undefined, RECEIVED)).toMatchObject({ flags: [] });
  });

  test('is corrected, and flagged, when the clock is years off', () => {
    const wrong = 3 * 365 * 86_400_000;
    expect(timesOf(iso(RECEIVED - wrong - 1_000), iso(RECEIVED - wrong), RECEIVED)).toMatchObject({
      timestamp: RECEIVED - 1_000,
      flags: ['clock_skew'],
    });
  });

  test('does without what is not a time', () => {
    expect(timesOf('yesterday', 'later', RECEIVED)).toEqual({
      original: RECEIVED,
      sent: null,
      timestamp: RECEIVED,
      flags: ['invalid_timestamp', 'invalid_sent_at'],
    });
  });

  test('never leaves what can be stored', () => {
    expect(timesOf('1900-01-02T00:00:00Z', '2298-01-01T00:00:00Z', RECEIVED).timestamp).toBe(Date.UTC(1900, 0));
  });
});
