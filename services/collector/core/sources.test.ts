import { expect, test } from 'vitest';
import { Definitions, type InForce } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { Sources } from './sources.ts';

const source = (name: string, body: object): InForce<'source'> => ({
  kind: 'source',
  name,
  version: 3,
  body: definitionKinds.source.parse(body),
});

test('a rotated key is the same source; what is switched off says so', () => {
  const sources = new Sources(
    new Definitions([
      source('web', {
        writeKeys: [{ key: 'old1', enabled: false }, { key: 'new1' }],
        allowedOrigins: ['https://a.example'],
      }),
      source('off', { writeKeys: [{ key: 'off1' }], enabled: false, allowedOrigins: ['https://off.example'] }),
    ]),
  );
  expect(sources.find('new1')).toMatchObject({ name: 'web', enabled: true });
  expect(sources.find('old1')).toMatchObject({ name: 'web', enabled: false });
  expect(sources.find('off1')).toMatchObject({ name: 'off', enabled: false });
  expect(sources.find('other')).toBeUndefined();
  expect(sources.find('__proto__')).toBeUndefined();
  expect(sources.origins).toEqual(['https://a.example']);
});

test.each([
  ['the key is off', { writeKeys: [{ key: 'same', enabled: false }] }],
  ['the source is off', { writeKeys: [{ key: 'same' }], enabled: false }],
])('of two sources with one key the one that is switched off counts: %s', (_, body) => {
  for (const [off, on] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const both = [source(off, body), source(on, { writeKeys: [{ key: 'same' }] })];
    expect(new Sources(new Definitions(both)).find('same')).toMatchObject({ name: off, enabled: false });
  }
});

test('events meet their source and the identity rules in force', () => {
  const rules = { kind: 'identity_rules', name: 'default', version: 7, body: defaultIdentityRules } as const;
  const web = source('web', { writeKeys: [{ key: 'key1' }] });
  expect(new Sources(new Definitions([web])).find('key1')?.met).toEqual([{ definition: 'source/web', version: 3 }]);
  expect(new Sources(new Definitions([web, rules])).find('key1')?.met).toEqual([
    { definition: 'source/web', version: 3 },
    { definition: 'identity_rules/default', version: 7 },
  ]);
});

test('without definitions it is empty, and has the default rules', () => {
  const sources = new Sources(new Definitions());
  expect(sources.empty).toBe(true);
  expect(sources.rules).toBe(defaultIdentityRules);
});
