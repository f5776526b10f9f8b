import { describe, expect, it } from 'vitest';
import { stitchedEvent } from '../stitched-event.fixture.ts';
import { EventView } from './segment-event.ts';
import { InvalidSubscription, parseSubscription } from './subscription.ts';

const order = new EventView(
  stitchedEvent({ payload: { properties: { revenue: 40, country: 'DE' }, context: { app: 'shop' } } }),
);
const page = new EventView(stitchedEvent({ type: 'page', event: 'Home', payload: { type: 'page', name: 'Home' } }));

describe('subscriptions', () => {
  it.each([
    ['type = "track"', order, true],
    ['type = "page"', order, false],
    ['type = "track" and event = "Order Completed"', order, true],
    ['type = "track" and event != "Order Completed"', order, false],
    ['type = "page" or event = "Order Completed"', order, true],
    ['properties.revenue > 30', order, true],
    ['type = "track" and (properties.country = "FR" or properties.country = "DE")', order, true],
    ['context.app = "shop" and userId = "u1"', order, true],
    ['context.tributary.source = "web"', order, true],
    ['type = "page" and name = "Home"', page, true],
    ['name = "Home"', order, false],
  ])('%s', (text, view, wanted) => {
    expect(parseSubscription(text)(view)).toBe(wanted);
  });

  it.each(['', 'track events please', 'event like (('])('refuses %j', (text) => {
    expect(() => parseSubscription(text)).toThrow(InvalidSubscription);
  });
});
