import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Operator } from '../../support/operator.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

interface Decided {
  readonly applied: boolean;
  readonly taken: boolean;
  readonly claims: readonly { readonly claim_id: string; readonly kind: string; readonly target: string | null }[];
  readonly changes: readonly { readonly to_profile_id: string; readonly reason: string }[];
  readonly undo: readonly string[];
}

let operator: Operator;
beforeAll(async () => {
  operator = await Operator.begin();
});
afterAll(() => operator?.end());

const because = ['--reason', 'a mistake', '--actor', 'support', '--yes'];
const decide = (...args: string[]): Promise<Decided> => operator.json<Decided>('identity', ...args, ...because);

/** A file of rules under which nobody's identifiers are linked by an address. */
function rules(): string {
  const file = join(temporaryDirectory(), 'rules.yaml');
  const types = [
    '{type: user_id, limit: 1}',
    '{type: email, links: lookup}',
    '{type: anonymous_id}',
    '{type: device_id}',
  ];
  writeFileSync(file, `kind: identity_rules\nname: default\nspec:\n  types: [${types.join(', ')}]\n`);
  return file;
}

/** Does what an answer says takes it back. */
const undo = async ({ undo: lines }: Decided): Promise<void> => {
  for (const line of lines) {
    const [verb, target] = line.split(' ').slice(2, 4) as [string, string];
    expect(await decide(verb, target)).toMatchObject({ taken: true });
  }
};

describe('what an operator decides can be taken back', () => {
  test('a link, by unlink: both halves have their former ids, and nothing keeps them apart', async () => {
    await operator.collect(['user_id:ann-1', 'email:ann@example.com'], ['anonymous_id:cookie-1', 'device_id:phone-1']);
    const ann = await operator.untilOne('user_id:ann-1', 'email:ann@example.com');
    const visitor = await operator.untilOne('anonymous_id:cookie-1', 'device_id:phone-1');
    const pair = ['user_id:ann-1', 'anonymous_id:cookie-1'];
    const linked = await decide('link', ...pair);
    expect(await operator.untilOne(...pair, 'email:ann@example.com', 'device_id:phone-1')).toBe(ann);

    const unlinked = await decide('unlink', ...pair);
    expect(unlinked).toMatchObject({
      taken: true,
      claims: [{ kind: 'withdraw', target: `claim:${linked.claims[0]?.claim_id}` }],
    });
    expect(await operator.untilOne('user_id:ann-1', 'email:ann@example.com')).toBe(ann);
    expect(await operator.untilOne('anonymous_id:cookie-1', 'device_id:phone-1')).toBe(visitor);
    const edges = () =>
      operator.warehouse.rows(`SELECT kind, withdrawn FROM {db}.identity_edges WHERE actor = 'support' ORDER BY kind`);
    await expect.poll(edges).toEqual([{ kind: 'must_link', withdrawn: 1 }]);
    const why = () => operator.json('identity', 'explain', ...pair);
    await expect.poll(why).toMatchObject({ same: false, chain: null, apart: [] });

    // Linked once more, the same claim counts again.
    const again = await decide('link', ...pair);
    expect(again.claims).toMatchObject([{ claim_id: unlinked.claims[0]?.claim_id, target: null }]);
    expect(await operator.untilOne(...pair, 'email:ann@example.com', 'device_id:phone-1')).toBe(ann);
  });

  test('an unlink and a block, by what they say themselves', async () => {
    await operator.collect(['user_id:ben-1', 'email:ben@example.com', 'device_id:tablet-1']);
    const all = ['user_id:ben-1', 'email:ben@example.com', 'device_id:tablet-1'];
    const ben = await operator.untilOne(...all);
    const blocked = await decide('block', 'device_id:tablet-1');
    expect(blocked.changes.every(({ reason }) => reason === 'blocked')).toBe(true);
    const parted = await decide('unlink', 'user_id:ben-1', 'email:ben@example.com');
    const apart = () => operator.json('identity', 'explain', 'user_id:ben-1', 'email:ben@example.com');
    await expect.poll(apart).toMatchObject({ same: false, refused: [{ refused: 'cannot_link' }] });
    await undo(parted);
    await undo(blocked);
    expect(await operator.untilOne(...all)).toBe(ben);
  });

  test('the claims of a whole source, and they count again', async () => {
    await operator.collect(['user_id:cleo', 'anonymous_id:cookie-3']);
    const cleo = await operator.untilOne('user_id:cleo', 'anonymous_id:cookie-3');
    const withdrawn = await decide('withdraw', 'source:test');
    expect(withdrawn).toMatchObject({ taken: true, undo: ['tributary identity restore source:test --reason …'] });
    const graph = () => operator.json('identity', 'graph', 'user_id:cleo');
    await expect.poll(graph).toMatchObject({ identifiers: [{}] });
    expect((await decide('withdraw', 'source:test')).applied).toBe(false);
    const restored = await decide('restore', 'source:test');
    expect(restored.claims).toEqual([{ ...withdrawn.claims[0], target: null }]);
    expect(await operator.untilOne('user_id:cleo', 'anonymous_id:cookie-3')).toBe(cleo);
    // The block of before is withdrawn still.
    const targets = () => operator.warehouse.rows('SELECT target FROM {db}.identity_withdrawals');
    await expect
      .poll(targets)
      .toEqual([{ target: expect.stringMatching(/^claim:/) }, { target: expect.stringMatching(/^claim:/) }]);
  });

  test('a dry run of rules knows what is withdrawn', async () => {
    const { claims, ...rest } = await operator.json<{ claims: number; withdrawn: number }>(
      'identity',
      'rules',
      'diff',
      rules(),
    );
    expect(rest.withdrawn).toBe(2);
    await decide('withdraw', 'source:test');
    const without = await operator.json<{ claims: number; withdrawn: number }>('identity', 'rules', 'diff', rules());
    expect(without.claims + without.withdrawn).toBe(claims + rest.withdrawn);
    expect(without).toMatchObject({ claims: 1, touched: 0 });
  });
});
