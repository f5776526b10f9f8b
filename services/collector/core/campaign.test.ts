import { expect, test } from 'vitest';
import { campaignOf } from './campaign.ts';

test.each([
  [{ search: '?utm_source=nl&utm_campaign=c1' }, { source: 'nl', name: 'c1' }],
  [
    { url: 'https://a.example/p?x=1&utm_medium=email&utm_term=a+b&utm_content=%C3%A9&utm_id=7#top' },
    { medium: 'email', term: 'a b', content: 'é', id: '7' },
  ],
  [{ search: '', url: 'https://a.example/?utm_source=nl' }, { source: 'nl' }],
  [{ search: '?utm_source=one&utm_source=two' }, { source: 'one' }],
  [{ search: `?utm_source=${'x'.repeat(1_000)}` }, { source: 'x'.repeat(256) }],
  [{ search: '?utm_source=%E0%A4%A' }, { source: '\ufffd%A' }],
  [{ search: '?utm_source=' }, undefined],
  [{ search: `?${'a&'.repeat(99)}utm_source=nl` }, { source: 'nl' }],
  [{ search: `?${'a&'.repeat(100)}utm_source=nl` }, undefined],
  [{ search: '?utm_other=1&constructor=utm_source' }, undefined],
  [{ url: 'https://a.example/p#utm_source' }, undefined],
  [{ search: 7, url: ['utm_source=a'] }, undefined],
  [null, undefined],
])('%j', (page, expected) => {
  expect(campaignOf({ page })).toEqual(expected);
});

test.each([undefined, null, 'utm_source=a', [], { page: 'utm_source=a' }])('no page, no campaign: %j', (context) => {
  expect(campaignOf(context)).toBeUndefined();
});
