// After Segment's snippet, which has said where to send to.
analytics.ready(async () => {
  const who = (messageId) => ({
    messageId,
    anonymousId: '5f0c9b1e-7a3d-4f7e-9a41-0d6f0a6f2b11',
    timestamp: '2025-01-02T03:04:05.678Z',
    context: { locale: 'de-AT' },
  });
  const order = { revenue: 19.9, currency: 'EUR', products: [{ sku: 'a-1', quantity: 2 }] };
  await analytics.identify('ada-1', { email: 'ada@example.com', city: 'Köln' }, who('identify-1'));
  await analytics.track('Order Completed', order, who('track-1'));
  await analytics.page(null, 'Home', { section: 'shop' }, who('page-1'));
  await analytics.screen(null, 'Basket', { items: 2 }, who('screen-1'));
  await analytics.group('team-1', { seats: 5 }, who('group-1'));
  await analytics.alias('ada-1', 'ada-0', who('alias-1'));
});
