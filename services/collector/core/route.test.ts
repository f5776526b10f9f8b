import { describe, expect, test } from 'vitest';
import { routeOf } from './route.ts';

const types = ['identify', 'track', 'page', 'screen', 'group', 'alias'] as const;

describe('a call has a name and a letter, with and without /v1 and a slash at its end', () => {
  test.each(types.flatMap((type) => [type, type.charAt(0)].map((call) => [call, type] as const)))(
    '%s',
    (call, type) => {
      for (const path of [`/v1/${call}`, `/v1/${call}/`, `/${call}`, `/${call}/`])
        expect(routeOf('POST', path)).toEqual({ to: 'event', type });
    },
  );

  test.each(['batch', 'b', 'import'])('%s', (call) => {
    for (const path of [`/v1/${call}`, `/v1/${call}/`, `/${call}`])
      expect(routeOf('POST', path)).toEqual({ to: 'batch' });
  });
});

test('a path of nothing but slashes is soon read', () => {
  expect(routeOf('POST', `/v1${'/'.repeat(1_000_000)}x`)).toEqual({ to: 'nowhere' });
});

test.each([
  ['GET', '/v1/projects/WK/settings', { to: 'settings', writeKey: 'WK' }],
  ['GET', '/projects/W%20K/settings/', { to: 'settings', writeKey: 'W K' }],
  ['GET', '/projects/%E0%A4%A/settings', { to: 'settings', writeKey: '%E0%A4%A' }],
  ['GET', '/sourceConfig/', { to: 'source-config' }],
  ['GET', '/analytics.js/v1/W%20K/analytics.min.js', { to: 'script', writeKey: 'W K' }],
  ['GET', '/analytics.js/v1/WK/analytics.js', { to: 'nowhere' }],
  ['POST', '/analytics.js/v1/WK/analytics.min.js', { to: 'method-not-allowed' }],
  ['GET', '/analytics-next/bundles/407.bundle.61ef.js', { to: 'script-part', name: '407.bundle.61ef.js' }],
  ['GET', '/analytics-next/bundles/../index.js', { to: 'nowhere' }],
  ['GET', '/analytics-next/bundles/', { to: 'nowhere' }],
  ['POST', '/beacon/v1/batch', { to: 'batch' }],
  ['POST', '/v1/m', { to: 'sdk-metrics' }],
  ['POST', '/v1/webhook', { to: 'webhook' }],
  ['POST', '/webhook/', { to: 'webhook' }],
  ['GET', '/v1/webhook', { to: 'method-not-allowed' }],
  ['GET', '/v1/pixel/track', { to: 'pixel', type: 'track' }],
  ['GET', '/pixel/p/', { to: 'pixel', type: 'page' }],
  ['POST', '/v1/pixel/track', { to: 'method-not-allowed' }],
  ['GET', '/v1/pixel/batch', { to: 'nowhere' }],
  ['GET', '/v1/pixel/constructor', { to: 'nowhere' }],
  ['OPTIONS', '/v1/track', { to: 'preflight' }],
  ['OPTIONS', '/sourceConfig', { to: 'preflight' }],
  ['OPTIONS', '/nothing', { to: 'nowhere' }],
  ['GET', '/v1/track', { to: 'method-not-allowed' }],
  ['PUT', '/v1/batch', { to: 'method-not-allowed' }],
  ['POST', '/v1/projects/WK/settings', { to: 'method-not-allowed' }],
  ['POST', '/', { to: 'nowhere' }],
  ['POST', '/v1', { to: 'nowhere' }],
  ['POST', '/v2/track', { to: 'nowhere' }],
  ['POST', '/v1/constructor', { to: 'nowhere' }],
  ['POST', '/__proto__', { to: 'nowhere' }],
])('%s %s', (method, path, expected) => {
  expect(routeOf(method, path)).toEqual(expected);
});
