import { describe, expect, it } from 'vitest';
import { stitchedEvent } from '../stitched-event.fixture.ts';
import { EventView, segmentEventOf } from './segment-event.ts';

describe('the event as a destination sees it', () => {
  it('is what was sent, with ids, corrected times, address and profile', () => {
    const payload = {
      type: 'track',
      event: 'Order Completed',
      writeKey: 'wk-secret',
      timestamp: '1997-01-01T00:00:00Z',
      properties: { revenue: 11.77 },
      context: { library: { name: 'x' } },
    };
    expect(segmentEventOf(stitchedEvent({ payload, ip: '10.1.2.3' }))).toEqual({
      type: 'track',
      event: 'Order Completed',
      messageId: 'm1',
      userId: 'u1',
      properties: { revenue: 11.77 },
      timestamp: '2026-03-01T12:00:00.000Z',
      originalTimestamp: '2026-03-01T11:59:00.000Z',
      receivedAt: '2026-03-01T12:00:01.000Z',
      context: {
        library: { name: 'x' },
        ip: '10.1.2.3',
        tributary: { profileId: 'p1', source: 'web' },
      },
    });
  });

  it('keeps an address that the sender gave', () => {
    const event = stitchedEvent({ payload: { context: { ip: '192.0.2.1' } }, ip: '10.1.2.3' });
    expect(segmentEventOf(event).context.ip).toBe('192.0.2.1');
  });

  it.each([['null'], ['[]'], ['"text"'], ['{"context": 7, "properties": null}']])('survives the payload %s', (text) => {
    expect(segmentEventOf({ ...stitchedEvent({}), payload: text }).messageId).toBe('m1');
  });

  it('leaves out a time that no calendar has', () => {
    const event = { ...stitchedEvent({}), original_timestamp: Number.MAX_SAFE_INTEGER };
    expect(segmentEventOf(event).originalTimestamp).toBeUndefined();
  });

  it('does not take a prototype from a payload', () => {
    const event = { ...stitchedEvent({}), payload: '{"__proto__": {"polluted": true}}' };
    expect(JSON.stringify(segmentEventOf(event))).not.toContain('"polluted":true}}"');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('is not parsed for what the record itself can answer', () => {
    const view = new EventView({ ...stitchedEvent({}), payload: 'not JSON' });
    expect([view.type, view.event, view.userId, view.name]).toEqual(['track', 'Order Completed', 'u1', undefined]);
    expect(() => view.properties).toThrow(SyntaxError);
  });
});
