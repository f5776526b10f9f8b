// In a page whose address ends with #ADDRESS,WRITE_KEY
import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

const [address, writeKey] = location.hash.slice(1).split(',');
const analytics = new RudderAnalytics();
analytics.load(writeKey, address, { configUrl: address });
analytics.setAnonymousId('5f0c9b1e-7a3d-4f7e-9a41-0d6f0a6f2b11');

const who = { originalTimestamp: '2025-01-02T03:04:05.678Z', context: { locale: 'de-AT' } };
const order = { revenue: 19.9, currency: 'EUR', products: [{ sku: 'a-1', quantity: 2 }] };
analytics.identify('ada-1', { email: 'ada@example.com', city: 'Köln' }, who);
analytics.track('Order Completed', order, who);
analytics.page(undefined, 'Home', { section: 'shop' }, who);
analytics.group('team-1', { seats: 5 }, who);
analytics.alias('ada-1', 'ada-0', who);
