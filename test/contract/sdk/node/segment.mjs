// node segment.mjs ADDRESS WRITE_KEY
import { Analytics } from '@segment/analytics-node';

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host });
analytics.on('error', (error) => {
  throw error;
});

const who = {
  userId: 'ada-1',
  anonymousId: '5f0c9b1e-7a3d-4f7e-9a41-0d6f0a6f2b11',
  timestamp: new Date('2025-01-02T03:04:05.678Z'),
  context: { locale: 'de-AT' },
};
const order = { revenue: 19.9, currency: 'EUR', products: [{ sku: 'a-1', quantity: 2 }] };
analytics.identify({ ...who, messageId: 'identify-1', traits: { email: 'ada@example.com', city: 'Köln' } });
analytics.track({ ...who, messageId: 'track-1', event: 'Order Completed', properties: order });
analytics.page({ ...who, messageId: 'page-1', name: 'Home', properties: { section: 'shop' } });
analytics.screen({ ...who, messageId: 'screen-1', name: 'Basket', properties: { items: 2 } });
analytics.group({ ...who, messageId: 'group-1', groupId: 'team-1', traits: { seats: 5 } });
analytics.alias({ ...who, messageId: 'alias-1', previousId: 'ada-0' });
await analytics.closeAndFlush();
