import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Operator } from '../../support/operator.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

interface Decided {
  readonly applied: boolean;
  readonly taken: boolean;
  readonly preview: {
    readonly united: readonly unknown[];
    readonly split: readonly unknown[];
    readonly events_moved: number;
    readonly identifiers_moved: number;
    readonly notes: readonly { readonly note: string }[];
  };
  readonly claims: readonly { readonly claim_id: string; readonly kind: string }[];
  readonly changes: readonly { readonly to_profile_id: string; readonly reason: string }[];
  readonly undo: readonly string[];
}

let operator: Operator;
beforeAll(async () => {
  operator = await Operator.begin();
});
afterAll(() => operator?.end());

const because = ['--reason', 'she said so', '--actor', 'support'];

describe('an operator', () => {
  test('links two identifiers: first shown, then one profile, explained and dated', async () => {
    await operator.collect(
      ['user_id:ann-1', 'email:ann@example.com'],
      ['anonymous_id:cookie-1'],
      ['anonymous_id:cookie-1'],
    );
    const ann = await operator.untilOne('user_id:ann-1', 'email:ann@example.com');
    const former = operator.defaultOf('anonymous_id:cookie-1');
    const pair = ['user_id:ann-1', 'anonymous_id:cookie-1'];

    expect(await operator.run('identity', 'link', ...pair)).toMatchObject({
      code: 2,
      err: expect.stringContaining('why?'),
    });
    const shown = await operator.json<Decided>('identity', 'link', ...pair, ...because);
    expect(shown).toMatchObject({
      applied: false,
      preview: { united: [{ into: { profile_id: ann, identifiers: 3 } }], identifiers_moved: 1, events_moved: 2 },
    });
    expect((await operator.run('identity', 'link', ...pair, ...because)).out).toContain('nothing is written');
    expect(await operator.decisions()).toEqual([]);

    const before = new Date().toISOString();
    const decided = await operator.json<Decided>('identity', 'link', ...pair, ...because, '--yes');
    expect(decided).toMatchObject({
      applied: true,
      taken: true,
      claims: [{ kind: 'must_link' }],
      changes: [{ profile_id: former, to_profile_id: ann, reason: 'linked' }],
    });
    expect(await operator.decisions()).toMatchObject([
      {
        claim_id: decided.claims[0]?.claim_id,
        kind: 'must_link',
        actor: 'support',
        reason: 'she said so',
        source: null,
      },
    ]);
    expect(decided.undo).toEqual([`tributary identity withdraw claim:${decided.claims[0]?.claim_id} --reason …`]);
    expect(await operator.untilOne(...pair, 'email:ann@example.com')).toBe(ann);

    const why = ['identity', 'explain', 'anonymous_id:cookie-1', 'email:ann@example.com'];
    const explained = () => operator.json(...why, '--plain');
    await expect.poll(explained).toMatchObject({
      same: true,
      profile_id: ann,
      chain: [
        {
          from: 'anonymous_id:cookie-1',
          to: 'user_id:ann-1',
          kind: 'must_link',
          actor: 'support',
          reason: 'she said so',
        },
        { to: 'email:ann@example.com', kind: 'observed', source: 'test', message_id: 'm-1', claims: 1, rules: '' },
      ],
    });
    for (const args of [why, [...why, '--json']]) {
      const { out } = await operator.run(...args);
      expect(out).toContain('email:a…@example.com');
      expect(out).not.toContain('ann@');
    }

    expect(await operator.json('identity', 'as-of', before, `profile_id:${former}`, '--plain')).toMatchObject({
      known: true,
      profile_id: former,
      profile_id_now: ann,
      identifiers: [{ identifier: 'anonymous_id:cookie-1' }],
    });
    const now = new Date().toISOString();
    const asOfNow = await operator.json<{ identifiers: unknown[] }>('identity', 'as-of', now, 'anonymous_id:cookie-1');
    expect(asOfNow).toMatchObject({ profile_id: ann });
    expect(asOfNow.identifiers).toHaveLength(3);
    expect(await operator.json('identity', 'as-of', '2001-01-01', 'user_id:ann-1')).toMatchObject({
      known: false,
      profile_id: operator.defaultOf('user_id:ann-1'),
      identifiers: [],
    });
    expect((await operator.json<Decided>('identity', 'link', ...pair, ...because, '--yes')).applied).toBe(false);
  });

  test('sees why two are not one, over how many profiles ever, and what is around them', async () => {
    await operator.collect(
      ['user_id:ben-1', 'anonymous_id:tablet'],
      ['user_id:cleo', 'anonymous_id:tablet'],
      ['user_id:cleo', 'device_id:kiosk-1'],
      ['user_id:dan-1', 'device_id:kiosk-1'],
    );
    await operator.untilOne('user_id:ben-1', 'anonymous_id:tablet');
    const parted = () => operator.json('identity', 'explain', 'user_id:ben-1', 'user_id:cleo', '--plain');
    await expect.poll(parted).toMatchObject({
      same: false,
      profile_ids: [operator.defaultOf('user_id:ben-1'), operator.defaultOf('user_id:cleo')],
      chain: [
        { accepted: true, to: 'anonymous_id:tablet' },
        { accepted: false, refused: 'limit:user_id', from: 'anonymous_id:tablet', to: 'user_id:cleo' },
      ],
      refused: [{ refused: 'limit:user_id' }],
    });
    const far = () => operator.json('identity', 'explain', 'user_id:ben-1', 'user_id:dan-1');
    await expect.poll(far).toMatchObject({
      same: false,
      complete: true,
      refused: [{ refused: 'limit:user_id' }, { refused: 'limit:user_id' }],
    });
    expect((await operator.run('identity', 'explain', 'user_id:ben-1', 'user_id:cleo')).out).toContain(
      'refused: anonymous_id:t…t and user_id:c…o, limit:user_id',
    );
    expect(await operator.json('identity', 'explain', 'user_id:ben-1', 'user_id:ann-1')).toMatchObject({
      same: false,
      chain: null,
      complete: true,
    });

    const graph = () => operator.json('identity', 'graph', 'anonymous_id:tablet', '--plain');
    await expect.poll(graph).toMatchObject({
      profile_id: operator.defaultOf('user_id:ben-1'),
      neighbours: [{ identifier: 'user_id:cleo', profile_id: operator.defaultOf('user_id:cleo') }],
      identifiers: [{}, {}],
      links: [{ accepted: true }, { accepted: false, refused: 'limit:user_id' }],
    });
    const dot = await operator.run('identity', 'graph', 'anonymous_id:tablet', '--dot');
    expect(dot.out).toMatch(/^graph identity \{.*label="limit:user_id" style=dashed.*\}\n$/s);
    expect(dot.out).not.toContain('tablet');
  });

  test('takes apart what events have linked, and gets the former ids', async () => {
    await operator.collect(['user_id:eve-1', 'email:eve@example.com'], ['email:eve@example.com']);
    const eve = await operator.untilOne('user_id:eve-1', 'email:eve@example.com');
    const decided = await operator.json<Decided>(
      ...['identity', 'unlink', 'email:eve@example.com', 'user_id:eve-1'],
      ...because,
      '--yes',
    );
    expect(decided).toMatchObject({
      claims: [{ kind: 'cannot_link' }],
      preview: { split: [{ of: { profile_id: eve } }], events_moved: 1 },
      changes: [{ to_profile_id: operator.defaultOf('email:eve@example.com'), reason: 'split' }],
    });
    expect(await operator.untilOne('email:eve@example.com')).toBe(operator.defaultOf('email:eve@example.com'));
    const why = () => operator.json('identity', 'explain', 'user_id:eve-1', 'email:eve@example.com', '--plain');
    await expect.poll(why).toMatchObject({
      same: false,
      refused: [{ refused: 'cannot_link' }],
      apart: [{ actor: 'support', reason: 'she said so' }],
    });
  });

  test('blocks an identifier: it links nothing any more', async () => {
    await operator.collect(['user_id:flo-1', 'device_id:till-7']);
    await operator.untilOne('user_id:flo-1', 'device_id:till-7');
    const args = ['identity', 'block', 'device_id:till-7', ...because, '--yes'];
    expect(await operator.json<Decided>(...args)).toMatchObject({ taken: true, claims: [{ kind: 'block' }] });
    const why = () => operator.json('identity', 'explain', 'user_id:flo-1', 'device_id:till-7');
    await expect.poll(why).toMatchObject({ same: false, refused: [{ refused: 'blocked' }] });
    const health = () => operator.json('identity', 'health', '--plain');
    await expect.poll(health).toMatchObject({
      blocked: [{ identifier: 'device_id:till-7', actor: 'support' }],
    });
    expect((await operator.run(...args)).out).toContain('it is so already');
  });

  test('learns where somebody’s data is', async () => {
    const found = async (): Promise<object> => {
      const { topics, tables, ...rest } = await operator.json<{
        topics: { topic: string; records: number | null; holds: string }[];
        tables: { table: string; rows: number | null }[];
      }>('where', 'anonymous_id:cookie-1', '--plain');
      const rows = Object.fromEntries(tables.map(({ table, rows: count }) => [table, count]));
      const held = Object.fromEntries(topics.map(({ topic, holds }) => [topic.split('.').slice(1).join('.'), holds]));
      return { ...rest, rows, held, isMapped: Number(rows.identity_mappings) >= 1 };
    };
    await expect.poll(found).toMatchObject({
      profile_id: operator.defaultOf('user_id:ann-1'),
      former_profile_ids: expect.arrayContaining([operator.defaultOf('anonymous_id:cookie-1')]),
      destinations: [],
      local_state: expect.arrayContaining([expect.objectContaining({ folder: 'state/g1/console', holds: 'yes' })]),
      rows: {
        events_log: 3,
        profiles_latest: 2,
        deliveries_log: 0,
        rejected_log: null,
        // Three identifiers, one pair that was seen, one that was decided.
        identity_claims_log: 5,
      },
      held: {
        'events.stitched': 'yes',
        'identity.claims': 'yes',
        profiles: 'yes',
        deliveries: 'no',
        'events.rejected': 'unknown',
      },
      isMapped: true,
    });
  });

  test('sees before what other rules would do, and what the rules are', async () => {
    const file = join(temporaryDirectory(), 'rules.yaml');
    const ruled = (email: string): string =>
      `kind: identity_rules\nname: default\nspec:\n  types:\n    - {type: user_id, limit: 1}\n    - {type: email, ${email}}\n    - {type: anonymous_id}\n    - {type: device_id}\n`;
    await operator.collect(...Array.from({ length: 7 }, (_, n) => ['user_id:gus-1', `email:gus${n}@example.com`]));
    writeFileSync(file, ruled('limit: 10'));
    const wider = await operator.json('identity', 'rules', 'diff', file);
    expect(wider).toMatchObject({ rules: 'built in', united: 1, split: 0, largest_touched: 8 });
    expect(wider.sample).toMatchObject([{ what: 'united', reasons: expect.arrayContaining(['limit:email']) }]);
    writeFileSync(file, ruled('links: lookup'));
    const narrower = await operator.run('identity', 'rules', 'diff', file);
    expect(narrower).toMatchObject({ code: 0, out: expect.stringContaining('links of email: strong → lookup') });
    expect(narrower.out).not.toContain('ann@');
    expect(await operator.json('identity', 'rules', 'show')).toMatchObject({ origin: 'built in' });
    writeFileSync(file, 'kind: source\nname: web\nspec: {writeKeys: [{key: abcdef}]}\n');
    expect(await operator.run('identity', 'rules', 'diff', file)).toMatchObject({ code: 2 });
  });

  test('sees how identities are', async () => {
    const healthy = async (): Promise<object> => {
      const health = await operator.json<{ sizes: { profiles: number }[]; profiles: number }>('identity', 'health');
      const ofSizes = health.sizes.reduce((sum, { profiles }) => sum + profiles, 0);
      return { ...health, missing: health.profiles - ofSizes };
    };
    await expect.poll(healthy).toMatchObject({
      missing: 0,
      identifiers: 20,
      refusals: expect.arrayContaining([expect.objectContaining({ reason: 'limit:user_id' })]),
      linker_lag: 0,
      quarantine: [],
      shared: expect.arrayContaining([expect.objectContaining({ identifier: 'anonymous_id:t…t', user_ids: 2 })]),
    });
    expect((await operator.run('identity', 'health')).out).toContain('not known');
  });

  test('may decide while others do: no claim is lost', async () => {
    const pairs = Array.from({ length: 4 }, (_, n) => [`user_id:guest-${n}`, `anonymous_id:guest-cookie-${n}`]);
    const before = (await operator.decisions()).length;
    const all = await Promise.all(
      pairs.map((pair) => operator.json<Decided>('identity', 'link', ...pair, ...because, '--yes')),
    );
    expect(all.every(({ taken }) => taken)).toBe(true);
    expect(all[0]?.preview.notes.map(({ note }) => note).join()).toContain('was never seen');
    const written = (await operator.decisions()).slice(before).map(({ claim_id }) => claim_id);
    expect(new Set(written)).toEqual(new Set(all.map(({ claims }) => claims[0]?.claim_id)));
    expect(written).toHaveLength(4);
  });

  test.each([
    [['identity', 'explain', 'user_id:ann-1'], 2, 'which two?'],
    [['identity', 'explain', 'user_id:ann-1', 'user_id:nobody'], 1, 'nothing is known of this user_id'],
    [['identity', 'graph', 'ann'], 2, 'which identifier?'],
    [['identity', 'as-of', 'yesterday', 'user_id:ann-1'], 1, 'time must be a time'],
    [['identity', 'withdraw', 'nonsense', ...because], 1, 'is named as'],
    [['identity', 'restore', 'source:web', ...because], 1, 'is not withdrawn'],
    [['identity', 'link', 'user_id:ann-1', 'user_id:null', ...because], 2, 'no usable user_id'],
    [['identity', 'link', 'user_id:ann-1', 'user_id:ann-1', ...because], 1, 'the same identifier'],
    [['where', 'user_id:nobody'], 1, 'nothing is known'],
  ])('is told what is wrong with %j', async (args, code, message) => {
    expect(await operator.run(...args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) });
  });

  test('finds every command in the help', async () => {
    const { out } = await operator.run('identity', '--help');
    for (const word of ['explain', 'graph', 'as-of', 'health', 'link', 'unlink', 'block', 'withdraw', 'restore'])
      expect(out).toContain(`tributary identity ${word}`);
    expect((await operator.run('identity', 'rules', 'diff', '--help')).out).toMatch(
      /^tributary identity rules diff FILE/,
    );
  });
});
