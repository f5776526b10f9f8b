import { expect, test } from 'vitest';
import { campaignOfReferrer } from './referrer.ts';

const of = (referrer: unknown, url: unknown = 'https://shop.example.com/a'): unknown =>
  campaignOfReferrer({ page: { referrer, url } });

test.each([
  ['https://www.google.co.uk/search?q=x', { source: 'google', medium: 'organic' }],
  ['https://duckduckgo.com/', { source: 'duckduckgo', medium: 'organic' }],
  ['https://de.search.yahoo.com/', { source: 'yahoo', medium: 'organic' }],
  ['https://l.facebook.com/l.php', { source: 'facebook', medium: 'social' }],
  ['https://t.co/abc', { source: 'twitter', medium: 'social' }],
  ['https://www.blog.example.org/post', { source: 'blog.example.org', medium: 'referral' }],
  ['https://not-t.co/', { source: 'not-t.co', medium: 'referral' }],
  ['https://site.google/', { source: 'site.google', medium: 'referral' }],
])('%s refers', (referrer, campaign) => expect(of(referrer)).toEqual(campaign));

test.each([
  ['https://shop.example.com/b'],
  ['https://www.shop.example.com/'],
  ['https://example.com/'],
  ['https://checkout.shop.example.com/'],
  [''],
  [undefined],
  [7],
  ['android-app://com.google.android.gm'],
  ['https://'],
])('%s does not', (referrer) => expect(of(referrer)).toBeUndefined());
