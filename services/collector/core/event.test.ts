import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { envelope, keeping } from './envelope.fixture.ts';
import type { Envelope } from './event.ts';
import { underOf } from './payload.ts';
import type { EventType } from './route.ts';

const RECEIVED = envelope.receivedAt;
const decided = (event: unknown, changes: Partial<Envelope> = {}, endpoint?: EventType): ReturnType<typeof keeping> =>
  keeping(JSON.stringify(event), event, endpoint, { ...envelope, ...changes });
const accepted = (...given: Parameters<typeof decided>) => {
  const decision = decided(...given);
  if (decision.outcome !== 'accepted') throw new Error(JSON.stringify(decision.value));
  return decision.value;
};
const accountOf = (...given: Parameters<typeof decided>): EventCollected | undefined => {
  const decision = decided(...given);
  return decision.outcome === 'accepted' ? decision.account : undefined;
};
const rejected = (...given: Parameters<typeof decided>) => {
  const decision = decided(...given);
  if (decision.outcome !== 'rejected') throw new Error(JSON.stringify(decision.value));
  return decision.value;
};

const track = { type: 'track', event: 'Order Completed', userId: 'u1', messageId: 'm1' };

describe('an accepted event', () => {
  test('has all that is known of it, and is routed by its first identifier', () => {
    const decision = decided({ ...track, timestamp: '2026-11-24T11:59:00.000Z', sentAt: '2026-11-24T11:59:30.000Z' });
    expect(decision).toMatchObject({
      outcome: 'accepted',
      key: envelope.hashing.hash('user_id', 'u1'),
      value: {
        message_id: 'm1',
        type: 'track',
        event: 'Order Completed',
        source: 'web',
        user_id: 'u1',
        anonymous_id: null,
        original_timestamp: RECEIVED - 60_000,
        sent_at: RECEIVED - 30_000,
        received_at: RECEIVED,
        timestamp: RECEIVED - 30_000,
        flags: [],
        ip: '1.2.3.4',
        currency: 'EUR',
        definitions: envelope.definitions,
      },
    });
  });

  test('keeps its own text, numbers as they were written', () => {
    const text =
      '{"type":"track", "event":"E","userId":"u1","properties":{"revenue":10.10,"big":12345678901234567890}}';
    const decision = keeping(text, JSON.parse(text), undefined, envelope);
    expect(decision.value.payload).toBe(text);
  });

  test.each([
    ['whole', '"properties":{"card":12345678901234567890}', '{}', 'card=12345678901234567890'],
    ['of the batch', '"properties":{}', '{"traits":{"card":12345678901234567890}}', 'card=12345678901234567890'],
    ['with an exponent', '"properties":{"card":1e30}', '{}', 'anonymous_id=a'],
  ])('is named by a number that JavaScript cannot hold as it was written: %s', (_, properties, context, expected) => {
    const text = `{"type":"track","event":"E","anonymousId":"a",${properties}}`;
    const { value } = keeping(text, JSON.parse(text), undefined, {
      ...envelope,
      rules: definitionKinds.identity_rules.parse({ types: [{ type: 'card' }, { type: 'anonymous_id' }] }),
      batchLevel: [underOf('context', context)],
      batchContext: JSON.parse(context),
    });
    const [first] = (value as EventCollected).identifiers;
    expect(`${first?.type}=${first?.value}`).toBe(expected);
  });

  test('has the type of the endpoint, whatever it says itself', () => {
    expect(accepted({ type: 'page', userId: 'u1' }, {}, 'identify').type).toBe('identify');
  });

  test.each([
    [{ messageId: '' }, 'made'],
    [{ messageId: null }, 'made'],
    [{ messageId: 7 }, '7'],
    [{ messageId: 'x'.repeat(300) }, /^[0-9a-f]{64}$/],
  ])('has a message id: %j', (changes, expected) => {
    expect(accepted({ ...track, ...changes }).message_id).toMatch(expected);
  });

  test.each([
    [{ type: 'page', name: 'Home' }, 'Home'],
    [{ type: 'screen' }, null],
    [{ type: 'identify', name: 'x', event: 'y' }, null],
    [{ type: 'track', event: 'x'.repeat(5_000) }, 'x'.repeat(1_024)],
  ])('has a name where its call has one', (event, expected) => {
    expect(accepted({ ...event, userId: 'u1' }).event).toBe(expected);
  });

  test('keeps apart user ids that JavaScript cannot tell apart', () => {
    const [a, b] = ['12345678901234567890', '12345678901234567891'].map((id) => {
      const text = `{"type":"identify","userId":${id}}`;
      return keeping(text, JSON.parse(text), undefined, envelope);
    });
    expect(a?.value).toMatchObject({ user_id: '12345678901234567890' });
    expect(a?.key).not.toBe(b?.key);
  });

  test('has the batch’s context under its own: identifiers, consents and address are looked for in both', () => {
    const batchContext = {
      ip: '9.9.9.9',
      traits: { email: 'a@b.co' },
      consent: { categoryPreferences: { ads: false } },
    };
    const value = accepted(
      { type: 'track', event: 'E', context: { page: {} } },
      { batchContext, batchLevel: [underOf('context', JSON.stringify(batchContext))] },
    );
    expect(value.identifiers).toMatchObject([{ type: 'email', value: 'a@b.co' }]);
    expect(value.consents).toMatchObject([{ purpose: 'ads', state: 'denied' }]);
    expect(value.ip).toBe('9.9.9.9');
    expect(JSON.parse(value.payload)).toMatchObject({ context: { page: {}, ip: '9.9.9.9' } });
  });

  test('has no address where the source keeps none: neither the connection’s nor the one it says itself', () => {
    const keepNone = { ...envelope, settings: { ...envelope.settings, keepIp: false } };
    const text = '{"type":"track","event":"E","userId":"u1","context":{ "ip":"203.0.113.9", "n":1.10},"ip":"its own"}';
    expect(keeping(text, JSON.parse(text), undefined, keepNone)).toMatchObject({
      outcome: 'accepted',
      value: {
        ip: null,
        payload: '{"type":"track","event":"E","userId":"u1","context":{ "n":1.10},"ip":"its own"}',
      },
    });
    const broken = text.replace('"E"', '""');
    expect(String(keeping(broken, JSON.parse(broken), undefined, keepNone).value.payload)).not.toContain('203.0.113.9');
    const list = `[${text}]`;
    expect(String(keeping(list, [JSON.parse(text)], undefined, keepNone).value.payload)).toBe('');
    const listed = { ...track, context: [{ ip: '203.0.113.9' }] };
    expect(String(keeping(JSON.stringify(listed), listed, undefined, keepNone).value.payload)).toBe('');
  });

  test('has its address cut where the source keeps it so, the connection’s too; nothing of it is left in what is rejected', () => {
    const cut = { ...envelope, ip: '198.51.100.7', settings: { ...envelope.settings, keepIp: 'truncated' } as const };
    const text = '{"type":"track","event":"E","userId":"u1","context":{"ip":"203.0.113.9","n":1.10}}';
    expect(keeping(text, JSON.parse(text), undefined, cut).value).toMatchObject({
      ip: '203.0.113.0',
      payload: '{"type":"track","event":"E","userId":"u1","context":{"n":1.10,"ip":"203.0.113.0"}}',
    });
    const without = '{"type":"track","event":"E","userId":"u1"}';
    expect(keeping(without, JSON.parse(without), undefined, cut).value).toMatchObject({
      ip: '198.51.100.0',
      payload: without,
    });
    const broken = text.replace('"E"', '""');
    expect(String(keeping(broken, JSON.parse(broken), undefined, cut).value.payload)).not.toContain('203.0.113');
  });

  test('has the campaign of its page’s address, unless it names one itself or the source wants none', () => {
    const page = { url: 'https://a.example/?utm_source=nl' };
    const contextOf = (context: object, enrich = true): unknown => {
      const settings = { ...envelope.settings, enrich: { ...envelope.settings.enrich, campaign: enrich } };
      return JSON.parse(accepted({ ...track, context }, { settings }).payload).context;
    };
    expect(contextOf({ page })).toEqual({ page, campaign: { source: 'nl' } });
    expect(contextOf({ page, campaign: { source: 'own' } })).toEqual({ page, campaign: { source: 'own' } });
    expect(contextOf({ page }, false)).toEqual({ page });
  });

  test('takes the time of sending from the request when it has none, and a timestamp beside an original one as it is', () => {
    const value = accepted(
      { ...track, timestamp: '1999-01-01', originalTimestamp: '1998-01-01', sentAt: '' },
      { sentAt: new Date(RECEIVED - 1_000).toISOString() },
    );
    expect(value).toMatchObject({
      original_timestamp: Date.UTC(1998, 0),
      sent_at: RECEIVED - 1_000,
      timestamp: Date.UTC(1999, 0),
    });
  });

  test.each([
    ['as early as it was stated', '2026-11-24T11:00:00.000Z', RECEIVED - 3_600_000],
    ['but not later than it came, however fast the clock', '2026-11-25T11:00:00.000Z', RECEIVED],
  ])('has consents %s', (_, timestamp, time) => {
    const context = { consent: { categoryPreferences: { ads: true } } };
    expect(accepted({ ...track, timestamp, context }, { gpc: true }).consents).toMatchObject([{ time }, { time }]);
  });

  test('may have empty arrays where PHP means empty objects', () => {
    expect(accepted({ ...track, properties: [], context: [], traits: null }).type).toBe('track');
  });

  test('inherits nothing from keys that would change prototypes', () => {
    const text = '{"type":"track","event":"E","__proto__":{"userId":"u1"},"constructor":{"prototype":{"userId":"u1"}}}';
    expect(keeping(text, JSON.parse(text), undefined, envelope)).toMatchObject({ reason: 'no_identifier' });
    expect(({} as { userId?: unknown }).userId).toBeUndefined();
  });
});

describe('a rejected event', () => {
  test.each([
    [null, '$: not an object'],
    [[1], '$: not an object'],
    ['text', '$: not an object'],
    [{ userId: 'u1' }, '$.type: not one of identify, track, page, screen, group, alias'],
    [{ ...track, type: 'TRACK' }, '$.type: not one of identify, track, page, screen, group, alias'],
    [{ ...track, event: '' }, '$.event: needed for track'],
    [{ ...track, event: { a: 1 } }, '$.event: needed for track'],
    [{ ...track, properties: 'x' }, '$.properties: not an object'],
    [{ ...track, context: [1] }, '$.context: not an object'],
    [{ type: 'group', userId: 'u1' }, '$.groupId: needed for group'],
    [{ type: 'alias', userId: 'u1' }, '$.previousId: needed for alias'],
    [{ type: 'alias', previousId: 'u1' }, '$.userId: needed for alias'],
  ])('%j: %s', (event, violation) => {
    expect(rejected(event)).toMatchObject({ stage: 'collector', reason: 'invalid_event', violations: [violation] });
  });

  test('without a usable identifier says so, and is kept whole', () => {
    const event = { type: 'track', event: 'E', userId: 'null', anonymousId: '', messageId: 'm1' };
    const value = rejected(event);
    expect(value).toMatchObject({ reason: 'no_identifier', source: 'web', message_id: 'm1', received_at: RECEIVED });
    expect(String(value.payload)).toBe(JSON.stringify(event));
  });

  test('is kept as it was sent, without the batch’s context', () => {
    const value = rejected({ a: 1 }, { batchLevel: [underOf('context', '{}')] });
    expect(String(value.payload)).toBe('{"a":1}');
  });

  test('nested too deeply', () => {
    const text = `{"type":"track","event":"E","userId":"u1","p":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const decision = keeping(text, JSON.parse(text), undefined, envelope);
    expect(decision).toMatchObject({ reason: 'too_deep' });
    expect(String(decision.value.payload)).toBe(text);
  });

  test('too large is kept whole up to what can be stored', () => {
    const large = rejected({ ...track, properties: { x: 'é'.repeat(300_000) } });
    expect(large).toMatchObject({ reason: 'too_large', message: 'The event has more than 500000 bytes' });
    expect(large.payload).toHaveLength(JSON.stringify({ ...track, properties: { x: '' } }).length + 600_000);
    const huge = rejected({ ...track, properties: { x: 'x'.repeat(2_000_000) } });
    expect(huge.message).toContain('its first 900000 bytes are kept');
    expect(huge.payload).toHaveLength(900_000);
  });

  test('says nothing personal', () => {
    const value = rejected({ type: 'group', userId: 'ann@example.com', traits: 'ann@example.com' });
    expect(JSON.stringify([value.message, value.violations])).not.toContain('ann');
  });
});

test('whatever JSON an event is, it is decided on, and the record can be written', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const field = fc.constantFrom(
    'userId',
    'anonymousId',
    'event',
    'messageId',
    'timestamp',
    'sentAt',
    'context',
    'traits',
  );
  const event = fc
    .tuple(fc.dictionary(field, value), fc.constantFrom('identify', 'track', 'page', 'alias', 'group', 'x'))
    .map(([fields, type]) => ({ ...fields, type }));
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: event }, { weight: 1, arbitrary: value }), (given) => {
      const decision = decided(given);
      const type = typeOf(decision.outcome === 'accepted' ? 'EventCollected' : 'EventRejected');
      expect(type.isValid(decision.value)).toBe(true);
      expect(type.toBuffer(decision.value).length).toBeLessThan(1_000_000);
    }),
    { numRuns: 500 },
  );
});

describe('the group of a group call', () => {
  const call = {
    type: 'group',
    userId: 'u1',
    anonymousId: 'a1',
    groupId: ' Acme ',
    messageId: 'm1',
    timestamp: '2026-11-24T11:59:00.000Z',
    traits: { plan: 'team', seats: 5 },
    context: { ip: '1.2.3.4', traits: { email: 'ada@example.com' }, consent: { categoryPreferences: { ads: true } } },
  };

  test('has an event of its own, that says nothing of the person', () => {
    const account = accountOf(call) as EventCollected;
    expect(account).toMatchObject({
      message_id: 'm1:account',
      type: 'group',
      kind: 'account',
      source: 'web',
      user_id: null,
      anonymous_id: null,
      timestamp: RECEIVED - 60_000,
      identifiers: [{ type: 'group_id', value: 'Acme', hash: envelope.hashing.hash('group_id', 'Acme') }],
      payload: '{"type":"group","groupId":" Acme ","traits":{"plan":"team","seats":5}}',
      ip: null,
      enrichment: '{}',
      consents: [],
    });
    expect(typeOf('EventCollected').isValid(account)).toBe(true);
    expect(accepted(call)).toMatchObject({ kind: 'person', user_id: 'u1', message_id: 'm1' });
    expect(accepted(call).identifiers.map(({ type }) => type)).not.toContain('group_id');
  });

  test('a number is read as it was written', () => {
    const text = '{"type":"group","userId":"u1","groupId":12345678901234567890}';
    const decision = keeping(text, JSON.parse(text), undefined, envelope);
    expect('account' in decision && decision.account?.identifiers[0]?.value).toBe('12345678901234567890');
  });

  test('there is none of other calls, of ids that are none, and where the rules know no groups', () => {
    expect(accountOf({ ...call, type: 'identify' })).toBeUndefined();
    expect(accountOf({ ...call, groupId: 'null' })).toBeUndefined();
    const rules = definitionKinds.identity_rules.parse({ types: [{ type: 'user_id' }] });
    expect(accountOf(call, { rules })).toBeUndefined();
  });
});
