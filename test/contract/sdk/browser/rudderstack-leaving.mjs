// In a page whose address ends with #ADDRESS,WRITE_KEY, and which is left before its queue is sent.
import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

const [address, writeKey] = location.hash.slice(1).split(',');
const analytics = new RudderAnalytics();
analytics.load(writeKey, address, {
  configUrl: address,
  useBeacon: true,
  beaconQueueOptions: { flushQueueInterval: 600_000 },
});
analytics.ready(() => {
  analytics.track('Left', {}, () => {
    document.title = 'ready to leave';
  });
});
