import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hintsOfContext, hintsOfHeaders } from './client-hints.ts';
import { agentOf, rememberingAgents } from './user-agent.ts';

const chrome = (platform: string, mobile = ''): string =>
  `Mozilla/5.0 (${platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 ${mobile}Safari/537.36`;
const onWindows = chrome('Windows NT 10.0; Win64; x64');
const onAndroid = chrome('Linux; Android 10; K', 'Mobile ');

test('a user agent tells browser, system and device', () => {
  expect(agentOf(onWindows, undefined)).toEqual({
    browser: { name: 'Chrome', version: '131.0.0.0' },
    os: { name: 'Windows', version: '10' },
    device: { type: 'desktop' },
    bot: false,
  });
  const iphone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';
  expect(agentOf(iphone, undefined)).toEqual({
    browser: { name: 'Safari', version: '17.5' },
    os: { name: 'iOS', version: '17.5' },
    device: { type: 'mobile', manufacturer: 'Apple', model: 'iPhone' },
    bot: false,
  });
});

test('client hints tell what the frozen user agent does not', () => {
  const headers = {
    'sec-ch-ua': '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    'sec-ch-ua-mobile': '?1',
    'sec-ch-ua-platform': '"Android"',
    'sec-ch-ua-platform-version': '"14.0.0"',
    'sec-ch-ua-model': '"Pixel 8"',
  };
  const ofAndroid = { os: { name: 'Android', version: '14.0.0' }, device: { type: 'mobile', model: 'Pixel 8' } };
  expect(agentOf(onAndroid, hintsOfHeaders(headers))).toMatchObject(ofAndroid);
  const userAgentData = { platform: 'Android', platformVersion: '14.0.0', model: 'Pixel 8', mobile: true };
  expect(agentOf(onAndroid, hintsOfContext(userAgentData))).toMatchObject(ofAndroid);
  const versionOf = (platformVersion: string): unknown =>
    agentOf(onWindows, hintsOfContext({ platform: 'Windows', platformVersion })).os?.version;
  expect(['15.0.0', '13.0.0', '10.0.0', '0.3.0'].map(versionOf)).toEqual(['11', '11', '10', '10']);
});

test('nothing is made of nothing', () => {
  expect(hintsOfHeaders({})).toBeUndefined();
  expect(hintsOfHeaders({ 'sec-ch-ua': 'nonsense', 'sec-ch-ua-mobile': 'yes' })).toBeUndefined();
  expect(hintsOfContext({ brands: 7, mobile: 'no', model: '' })).toBeUndefined();
  expect(agentOf('Mozilla/5.0', undefined)).toEqual({ bot: true });
  expect(agentOf('', undefined)).toEqual({ bot: false });
});

test.each([
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36',
  'curl/8.5.0',
])('%s is a robot', (userAgent) => expect(agentOf(userAgent, undefined).bot).toBe(true));

test('whatever a sender says of itself is taken, and remembered as it is', () => {
  const remembering = rememberingAgents(3);
  const hints = fc.option(fc.jsonValue().map(hintsOfContext), { nil: undefined });
  fc.assert(
    fc.property(fc.string({ maxLength: 3_000, unit: 'binary' }), hints, (userAgent, given) => {
      const agent = remembering(userAgent, given);
      expect(remembering(userAgent, given)).toEqual(agent);
      expect(agentOf(userAgent, given)).toEqual(agent);
    }),
  );
});
