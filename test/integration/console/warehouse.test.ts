import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { IdentityWarehouse } from '../../../services/console/adapters/identity-warehouse.ts';
import { queryOf } from '../../../services/console/adapters/query.ts';
import { Warehouse } from '../../../services/console/adapters/warehouse.ts';
import { answerTo } from '../../../services/console/answer.ts';
import type { Place } from '../../../services/console/core/cursor.ts';
import { referenceIn } from '../../../services/console/core/parameters.ts';
import { Problem } from '../../../services/console/core/problem.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { type Warehouse as Opened, openWarehouse } from '../../support/warehouse.ts';

const AT = '2026-03-01 12:00:00.123';
const [HERE, THERE, ELSEWHERE] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string];
const PROFILE = '11111111-1111-5111-8111-111111111111';

let installation: Installation;
let opened: Opened;
let warehouse: Warehouse;
beforeAll(async () => {
  installation = await createInstallation(addresses());
  opened = await openWarehouse(installation);
  warehouse = new Warehouse(queryOf(opened.client, opened.database));
});
afterAll(async () => {
  await opened.close();
  await installation.close();
});

const insert = (table: string, values: readonly object[]) =>
  opened.client.insert({ table: `${opened.database}.${table}`, values: [...values], format: 'JSONEachRow' });

/** Reads on from page to page, to the end. */
async function all<P>(
  pageAfter: (after: P | undefined) => Promise<{ readonly rows: readonly object[]; readonly end: P | undefined }>,
) {
  const pages: object[][] = [];
  let after: P | undefined;
  do {
    const { rows, end } = await pageAfter(after);
    pages.push([...rows]);
    after = end;
  } while (after !== undefined);
  return pages;
}

describe('page by page', () => {
  test('events of one millisecond are all told once', async () => {
    const event = (n: number, rest: object = {}) => ({
      received_at: AT,
      message_id: `m${n % 200}`,
      // The same message id from another source, or with another identifier, is another event.
      source: n < 220 ? 'web' : 'app',
      routing: n < 200 ? HERE : THERE,
      payload: `{"properties":{"n":${n}}}`,
      ...rest,
    });
    await insert('events_log', [
      ...Array.from({ length: 250 }, (_, n) => event(n)),
      event(250, { received_at: '2026-03-01 12:00:00.122' }),
      event(251, { received_at: '2026-03-01 12:00:00.124' }),
      event(252, { routing: ELSEWHERE }),
    ]);
    const page = { limit: 100, before: undefined };
    const pages = await all<Place<'events'>>((after) => warehouse.events([HERE, THERE], { ...page, after }));
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 52]);
    const told = pages.flat().map((row) => (row as { properties: unknown }).properties);
    const numbers = told.map((properties) => (JSON.parse(JSON.stringify(properties)) as { n: number }).n);
    expect(new Set(numbers)).toEqual(new Set(Array.from({ length: 252 }, (_, n) => n)));
    expect([numbers[0], numbers.at(-1)]).toEqual([251, 250]);
    expect(pages[0]?.[0]).not.toHaveProperty('routing');

    const before = Date.parse('2026-03-01T12:00:00.123Z');
    const older = await all<Place<'events'>>((after) => warehouse.events([HERE, THERE], { limit: 1, before, after }));
    expect(older.flat()).toMatchObject([{ message_id: 'm50' }]);
  });

  test('so are changes of one decision', async () => {
    const change = (n: number, rest: object = {}) => ({
      decided_at: AT,
      kind: 'refused',
      profile_id: PROFILE,
      identifier_type: 'email',
      identifier: `${n}`,
      hash: n % 2 === 0 ? HERE : THERE,
      version: n < 150 ? 7 : 8,
      kafka_partition: n % 3,
      kafka_offset: n,
      ...rest,
    });
    await insert('identity_changes_log', [
      ...Array.from({ length: 250 }, (_, n) => change(n)),
      change(250, { hash: ELSEWHERE }),
    ]);
    const page = { limit: 100, before: undefined };
    const pages = await all<NonNullable<Place<'history'>[1]>>((at) =>
      warehouse.identityChanges([HERE, THERE], { ...page, after: at && [0, at] }),
    );
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
    const names = pages.flat().map((row) => (row as { identifier: string }).identifier);
    expect(new Set(names)).toEqual(new Set(Array.from({ length: 250 }, (_, n) => `email:${n}`)));
    expect((await warehouse.identityChanges([HERE], { ...page, after: [3, null] })).rows).toEqual([]);
  });

  test('and versions, also where the other list has ended before', async () => {
    await insert(
      'profile_versions',
      Array.from({ length: 250 }, (_, n) => ({ profile_id: PROFILE, version: n + 1, updated_at: AT })),
    );
    const page = { limit: 100, before: undefined };
    const pages = await all<number>((version) =>
      warehouse.versions(PROFILE, { ...page, after: version === undefined ? undefined : [version, null] }),
    );
    const versions = pages.flat().map((row) => (row as { version: number }).version);
    expect(versions).toEqual(Array.from({ length: 250 }, (_, n) => 250 - n));
    expect((await warehouse.versions(PROFILE, { ...page, after: [0, null] })).rows).toEqual([]);
    expect((await warehouse.versions(PROFILE, { ...page, before: 2, after: undefined })).rows).toHaveLength(1);
  });
});

describe('a profile as it was', () => {
  const hashing = hashingWith(Buffer.alloc(32, 7));
  const [A, B] = [hashing.hash('user_id', 'a'), hashing.hash('user_id', 'b')];
  const [OF_A, OF_B] = [hashing.profileIdOf(A), hashing.profileIdOf(B)];
  const minute = (n: number): string => `2026-04-01 12:0${n}:00.000`;
  const exact = '{"n":12345678901234567890.10}';

  const version = (profileId: string, n: number, at: string, hashes: readonly string[], rest: object = {}) => ({
    profile_id: profileId,
    version: n,
    kind: 'person',
    updated_at: at,
    'identifiers.type': hashes.map(() => 'user_id'),
    'identifiers.value': hashes.map((hash) => (hash === A ? 'a' : 'b')),
    'identifiers.hash': hashes,
    ...rest,
  });
  const moved = (hash: string, kind: string, at: string, n: number, from: string, to: string | null = null) => ({
    decided_at: at,
    kind,
    profile_id: from,
    identifier_type: 'user_id',
    identifier: hash === A ? 'a' : 'b',
    hash,
    to_profile_id: to,
    version: n,
    reason: 'test',
  });

  const ask = (
    reference: string,
    time: number | undefined,
    part: 'profile' | 'traits' | 'computed' = 'profile',
    sensitive = true,
  ) => {
    const identity = new IdentityWarehouse(queryOf(opened.client, opened.database));
    const nobody = async () => undefined;
    const view = { answers: true, byHash: nobody, byId: nobody, mappingVersion: () => 0 };
    const rules = () => defaultIdentityRules;
    const sources = { hashing, rules, filling: () => new Map(), view, warehouse, identity };
    const at = time === undefined ? undefined : Date.parse(`2026-04-01T12:0${time}:30Z`);
    const rights = { sensitive, sensitiveTraits: new Map([['orders', false]]) };
    return answerTo({ part, reference: referenceIn(reference, 'it'), at }, rights, sources);
  };

  test('is the one that its identifier was decided to be in, and never one that did not hold it', async () => {
    await insert('identity_changes_log', [
      moved(A, 'discovered', minute(1), 0, OF_A),
      moved(B, 'discovered', minute(2), 0, OF_B),
      moved(B, 'moved', minute(4), 5, OF_B, OF_A),
      moved(B, 'moved', minute(7), 9, OF_A, OF_B),
    ]);
    await insert('profile_versions', [
      version(OF_A, 1, minute(1), [A], {
        'traits.name': ['diagnosis', 'exact', 'plan'],
        'traits.value': ['"x"', exact, '"pro"'],
        'traits.timestamp': [AT, AT, AT],
        'traits.message_id': ['m1', 'm1', 'm1'],
        'traits.source': ['web', 'web', 'web'],
        'traits.sensitivity': ['sensitive', 'personal', 'none'],
        'computed.name': ['forgotten', 'orders'],
        'computed.value': ['1', '7'],
        'computed.definition_version': [1, 3],
        'audiences.audience': ['vip'],
        'audiences.episode': [2],
        'audiences.since': [AT],
        'audiences.definition_version': [1],
        'consents.purpose': ['ads'],
        'consents.state': ['denied'],
        'consents.time': [AT],
        'consents.source': ['gpc'],
        'consents.policy_version': [null],
        events: 4,
        'event_counts.event': ['page'],
        'event_counts.count': [4],
        'revenue.currency': ['EUR'],
        'revenue.amount': ['12345678901234567890.123456'],
        'trait_origins.path': ['/exact/n'],
        'trait_origins.timestamp': [AT],
        'trait_origins.message_id': ['m0'],
        'trait_origins.source': ['crm'],
        order_count: 2,
        'products.product': ['tea', 'water'],
        'products.currency': ['EUR', 'EUR'],
        'products.name': ['Tea', ''],
        'products.quantity': ['1.5', '-2'],
        'products.revenue': ['15', '0.000001'],
        first_touch: { timestamp: AT, message_id: 'm0', source: 'web', referrer: 'https://a.example/', utm_id: '7' },
        session_count: 3,
        session_ms: 90_000,
        first_session_at: AT,
        last_session_until: AT,
        last_session_events: 4,
        'groups.group': ['acme'],
        'groups.traits': ['{"seats":1.50}'],
        'groups.timestamp': [AT],
        'groups.source': ['crm'],
        'interactions.id': ['case-1', 'case-2'],
        'interactions.state': ['open', 'closed'],
        'interactions.channel': ['phone', null],
        'interactions.direction': [null, 'outbound'],
        'interactions.agent': ['Ann', null],
        'interactions.timestamp': [AT, AT],
        'interactions.source': ['crm', 'crm'],
        sources: ['web'],
        first_seen: AT,
        flags: ['traits_cut'],
      }),
      version(OF_B, 1, minute(2), [B]),
      // The move is decided; the profile that it leads to is a minute behind.
      version(OF_A, 2, minute(5), [A, B]),
      version(OF_B, 2, minute(5), [], { gone: true, into: OF_A }),
      version(OF_A, 3, minute(8), [A]),
      version(OF_B, 3, minute(8), [B]),
    ]);
    const found = async (reference: string, at: number): Promise<unknown> => {
      const answer = await ask(reference, at).catch((problem: Problem) => problem);
      if (answer instanceof Problem) return answer.code;
      const { profile_id: id, version: n } = answer as { profile_id: string; version: number };
      return `${id === OF_A ? 'a' : 'b'}${n}`;
    };
    const everywhere = async (reference: string) =>
      Promise.all([0, 1, 2, 4, 5, 7, 8].map((at) => found(reference, at)));
    const none = 'profile_not_found';
    expect(await everywhere('user_id:a')).toEqual([none, 'a1', 'a1', 'a1', 'a2', 'a2', 'a3']);
    expect(await everywhere('user_id:b')).toEqual([none, none, 'b1', 'b1', 'a2', 'a2', 'b3']);
    expect(await everywhere(`profile_id:${OF_B}`)).toEqual([none, none, 'b1', 'b1', 'a2', 'a2', 'b3']);
    expect(await found('user_id:nobody', 8)).toBe(none);
    expect(await found(`profile_id:${PROFILE.replaceAll('1', '2')}`, 8)).toBe(none);
    expect(await found('user_id:null', 8)).toBe('invalid_identifier');
  });

  test('says what it said then, to the digit, but for what the token may not read', async () => {
    const time = '2026-03-01T12:00:00.123Z';
    const text = JSON.stringify(await ask('user_id:a', 1));
    expect(text).toContain(`"exact":${exact}`);
    expect(text).toContain('"seats":1.50');
    expect(JSON.parse(text)).toEqual({
      profile_id: OF_A,
      kind: 'person',
      version: 1,
      identifiers: [{ type: 'user_id', value: 'a' }],
      traits: { diagnosis: 'x', exact: expect.anything(), plan: 'pro' },
      computed: { forgotten: 1, orders: 7 },
      audiences: [{ audience: 'vip', episode: 2, since: time }],
      consents: [{ purpose: 'ads', state: 'denied', time, source: 'gpc', policy_version: null }],
      events: 4,
      event_counts: { page: 4 },
      revenue: { EUR: '12345678901234567890.123456' },
      order_count: 2,
      products: [
        { product: 'tea', currency: 'EUR', name: 'Tea', quantity: '1.5', revenue: '15' },
        { product: 'water', currency: 'EUR', name: '', quantity: '-2', revenue: '0.000001' },
      ],
      first_touch: {
        timestamp: time,
        message_id: 'm0',
        source: 'web',
        referrer: 'https://a.example/',
        utm_source: null,
        utm_medium: null,
        utm_campaign: null,
        utm_term: null,
        utm_content: null,
        utm_id: '7',
      },
      last_touch: null,
      sessions: { count: 3, total_ms: 90_000, first_at: time, last_at: null, last_until: time, last_events: 4 },
      groups: [{ group: 'acme', traits: { seats: expect.anything() }, timestamp: time, source: 'crm' }],
      interactions: [
        {
          id: 'case-1',
          state: 'open',
          channel: 'phone',
          direction: null,
          agent: 'Ann',
          timestamp: time,
          source: 'crm',
        },
        {
          id: 'case-2',
          state: 'closed',
          channel: null,
          direction: 'outbound',
          agent: null,
          timestamp: time,
          source: 'crm',
        },
      ],
      sources: ['web'],
      first_seen: time,
      last_seen: null,
      updated_at: '2026-04-01T12:01:00.000Z',
      flags: ['traits_cut'],
    });
    const cut = (await ask('user_id:a', 1, 'profile', false)) as Record<string, unknown>;
    expect([Object.keys(cut.traits as object), cut.withheld]).toEqual([['exact', 'plan'], 2]);
    expect(cut.computed).toEqual({ orders: 7 });
    expect(await ask('user_id:a', 1, 'computed', false)).toMatchObject({ computed: { orders: 7 }, withheld: 1 });
    const traits = (await ask('user_id:a', 1, 'traits', false)) as Record<string, unknown>;
    expect([Object.keys(traits.traits as object), Object.keys(traits.origins as object), traits.withheld]).toEqual([
      ['exact', 'plan'],
      ['exact', 'plan'],
      1,
    ]);
    expect(traits.part_origins).toEqual({ '/exact/n': { source: 'crm', message_id: 'm0', timestamp: time } });
    await expect(ask('user_id:a', undefined), 'now is not in the warehouse').rejects.toMatchObject({ status: 404 });
  });
});
