import { expect, test } from 'vitest';
import type { EventRejected, EventStitched } from '#schemas/generated/records.ts';
import { accepted, rejected, stitched } from '../core/passing.ts';
import { isWanted, lineOf } from './passing-event.ts';

const RECEIVED = Date.UTC(2026, 10, 24, 12, 0, 1, 234);
const event = {
  message_id: 'm1',
  type: 'track',
  event: 'Order Completed',
  source: 'shop',
  received_at: RECEIVED,
  profile_id: 'p1',
  user_id: 'somebody',
  payload: '{"userId":"somebody"}',
} as EventStitched;
const bad = {
  stage: 'collector',
  reason: 'no_identifier',
  message: 'The event has no usable identifier',
  source: 'shop',
  message_id: null,
  received_at: RECEIVED,
} as EventRejected;

test('a line says what happened to an event, and nothing of whom it is about', () => {
  expect([accepted(event), stitched(event), rejected(bad)].map(lineOf)).toEqual([
    '12:00:01.234  accepted  shop  track Order Completed  m1',
    '12:00:01.234  stitched  shop  track Order Completed  m1  profile p1',
    '12:00:01.234  rejected  shop  -  by collector: no_identifier (The event has no usable identifier)',
  ]);
  expect(JSON.stringify(stitched(event))).not.toContain('somebody');
});

test('a name cannot write over the terminal', () => {
  const line = lineOf(accepted({ ...event, event: '\u001b[2Jhi\r\n\u202e', message_id: 'a\u0007' }));
  expect(line).toBe('12:00:01.234  accepted  shop  track \ufffd[2Jhi\ufffd\ufffd\ufffd  a\ufffd');
});

test.each([
  [{ rejected: false }, ['accepted', 'rejected']],
  [{ rejected: true }, ['rejected']],
  [{ rejected: false, event: 'Order Completed' }, ['accepted']],
  [{ rejected: false, event: 'Other' }, []],
  [{ rejected: false, source: 'shop' }, ['accepted', 'rejected']],
  [{ rejected: false, source: 'other' }, []],
])('%j', (wanted, shown) => {
  const all = [accepted(event), rejected(bad)];
  expect(all.filter((passing) => isWanted(passing, wanted)).map(({ what }) => what)).toEqual(shown);
});
