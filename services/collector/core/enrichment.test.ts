import { describe, expect, test } from 'vitest';
import { envelope, keeping } from './envelope.fixture.ts';
import { decide, type Envelope } from './event.ts';

const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';
const found = {
  browser: { name: 'Safari', version: '17.5' },
  os: { name: 'iOS', version: '17.5' },
  device: { type: 'mobile', manufacturer: 'Apple', model: 'iPhone' },
};
const robot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
const textOf = (context: object): string => JSON.stringify({ type: 'track', event: 'E', userId: 'u1', context });

function enriched(context: object, changes: Partial<Envelope> = {}) {
  const text = textOf(context);
  const decision = keeping(text, JSON.parse(text), undefined, { ...envelope, ...changes });
  if (decision.outcome !== 'accepted') throw new Error(decision.reason);
  const { payload, enrichment, flags, ip } = decision.value;
  return { context: JSON.parse(payload).context, enrichment: JSON.parse(enrichment), flags, ip };
}
const wanting = (enrich: Partial<Envelope['settings']['enrich']>): Envelope['settings'] => ({
  ...envelope.settings,
  enrich: { ...envelope.settings.enrich, ...enrich },
});

describe('the user agent', () => {
  test('of the event is told in the context and apart', () => {
    const { context, enrichment } = enriched({ userAgent: safari });
    expect(context).toEqual({ userAgent: safari, ...found });
    expect(enrichment).toEqual(found);
  });

  test('of the request is taken where the person’s own program sends', () => {
    const client = { userAgent: safari, hints: undefined };
    expect(enriched({}, { client }).context).toEqual({ userAgent: safari, ...found });
    expect(enriched({ userAgent: robot }, { client }).context.device).toMatchObject({ manufacturer: 'Google' });
    expect(enriched({}).enrichment).toEqual({});
  });

  test('of a request is stored with each event, so no more of it than real ones have', () => {
    const client = { userAgent: 'x'.repeat(30_000), hints: undefined };
    const { context, enrichment } = enriched({}, { client });
    expect([context.userAgent, enrichment.userAgent]).toEqual(Array(2).fill('x'.repeat(1_000)));
  });

  test('does not replace what the event says, unless that says nothing', () => {
    const device = { id: 'd-1', type: null };
    const { context, enrichment } = enriched({ userAgent: safari, device, os: { name: '', version: '' } });
    expect(context).toEqual({ userAgent: safari, device, browser: found.browser, os: found.os });
    expect(enrichment).toEqual(found);
  });

  test('stays as it is where the source wants that', () => {
    expect(enriched({ userAgent: safari }, { settings: wanting({ userAgent: false }) })).toMatchObject({
      context: { userAgent: safari },
      enrichment: {},
    });
  });
});

describe('a robot’s event', () => {
  test('is flagged, kept or dropped, as the source says', () => {
    const flagsOf = (bots: 'keep' | 'flag'): unknown =>
      enriched({ userAgent: robot }, { settings: wanting({ bots, userAgent: false }) }).flags;
    expect(flagsOf('flag')).toContain('bot');
    expect(flagsOf('keep')).not.toContain('bot');
    const text = textOf({ userAgent: robot });
    const settings = wanting({ bots: 'drop' });
    expect(decide(text, JSON.parse(text), undefined, { ...envelope, settings })).toEqual({
      outcome: 'dropped',
      reason: 'bot',
    });
    const ofPerson = textOf({ userAgent: safari });
    expect(decide(ofPerson, JSON.parse(ofPerson), undefined, { ...envelope, settings }).outcome).toBe('accepted');
  });
});

describe('the place', () => {
  const asked: string[] = [];
  const knowledge: Envelope['knowledge'] = {
    ...envelope.knowledge,
    locationOf(address) {
      asked.push(address);
      return { city: 'Berlin' };
    },
  };

  test('is that of the address, and never finer than what of it may be kept', () => {
    const lookedUp = (context: object, keepIp: Envelope['settings']['keepIp'], ip: string | null): unknown => {
      asked.length = 0;
      const settings = { ...envelope.settings, keepIp };
      return [enriched(context, { knowledge, settings, ip }).enrichment, ...asked];
    };
    const location = { city: 'Berlin' };
    expect(lookedUp({ ip: '203.0.113.9' }, true, null)).toEqual([{ location }, '203.0.113.9']);
    expect(lookedUp({}, true, '203.0.113.9')).toEqual([{ location }, '203.0.113.9']);
    expect(lookedUp({}, 'truncated', '203.0.113.9')).toEqual([{ location }, '203.0.113.0']);
    expect(lookedUp({ ip: '203.0.113.9' }, false, null)).toEqual([{ location }, '203.0.113.0']);
    expect(lookedUp({}, true, null)).toEqual([{}]);
  });

  test('stands in the context beside the cut address', () => {
    const settings = { ...envelope.settings, keepIp: 'truncated' } as const;
    expect(enriched({ ip: '203.0.113.9', a: 1 }, { knowledge, settings })).toMatchObject({
      context: { a: 1, ip: '203.0.113.0', location: { city: 'Berlin' } },
      ip: '203.0.113.0',
    });
  });
});

test('a campaign is told by UTM parameters rather than by who referred', () => {
  const referrer = 'https://www.google.com/';
  const campaignIn = (url: string, enrich = {}): unknown =>
    enriched({ page: { url, referrer } }, { settings: wanting(enrich) }).context.campaign;
  expect(campaignIn('https://a.example/?utm_source=nl')).toEqual({ source: 'nl' });
  expect(campaignIn('https://a.example/')).toEqual({ source: 'google', medium: 'organic' });
  expect(campaignIn('https://a.example/?utm_source=nl', { campaign: false })).toEqual({
    source: 'google',
    medium: 'organic',
  });
  expect(campaignIn('https://a.example/', { referrer: false })).toBeUndefined();
});

test('GPC counts unless the source wants otherwise', () => {
  const consentsOf = (gpc: boolean): unknown => {
    const text = textOf({});
    const decision = keeping(text, JSON.parse(text), undefined, { ...envelope, gpc: true, settings: wanting({ gpc }) });
    return decision.outcome === 'accepted' && decision.value.consents.map(({ purpose }) => purpose);
  };
  expect([consentsOf(true), consentsOf(false)]).toEqual([['sale_or_sharing'], []]);
});
