// In a page whose address ends with #ADDRESS,WRITE_KEY, and which is left before its batch is full.
import { AnalyticsBrowser } from '@segment/analytics-next';

const [cdnURL, writeKey] = location.hash.slice(1).split(',');
const analytics = AnalyticsBrowser.load(
  { writeKey, cdnURL },
  { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { timeout: 600_000 } } } } },
);
await analytics.track('Left');
document.title = 'ready to leave';
