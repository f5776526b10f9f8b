import { expect, test } from 'vitest';
import type { InForce } from './definitions.ts';
import { definitionKinds } from './kinds.ts';
import { MOST_COMPUTED_TRAITS, mistakesAmong, sharedWriteKeys } from './mistakes-among.ts';
import type { Wanted } from './validate.ts';

const wanted = (name: string, ...keys: string[]): Wanted<'source'> => ({
  kind: 'source',
  name,
  body: definitionKinds.source.parse({ writeKeys: keys.map((key) => ({ key })) }),
});
const inForce = (name: string, ...keys: string[]) => ({ ...wanted(name, ...keys), version: 1 }) as InForce;

test.each<[string, Wanted[], InForce[], string[]]>([
  ['new keys', [wanted('a', 'key1', 'key2')], [inForce('b', 'key3')], []],
  ['its own again', [wanted('a', 'key1')], [inForce('a', 'key1')], []],
  ['another’s', [wanted('a', 'key1', 'key2')], [inForce('b', 'key2')], ['a spec.writeKeys.1.key source/b']],
  ['one that moves', [wanted('a', 'key1'), wanted('b', 'key2')], [inForce('b', 'key1')], []],
  [
    'that of a source that goes',
    [wanted('a', 'key1'), { ...wanted('b', 'key1'), body: undefined }],
    [inForce('b', 'key1')],
    [],
  ],
  ['what two others share since long', [wanted('a', 'key1')], [inForce('b', 'key2'), inForce('c', 'key2')], []],
  ['of two wanted', [wanted('a', 'key1'), wanted('b', 'key1')], [], ['b spec.writeKeys.0.key source/a']],
])('%s', (_, these, others, mistakes) => {
  const found = sharedWriteKeys(these, others);
  expect(found.map(({ name, path, wrong }) => `${name} ${path.join('.')} ${wrong.split(' ').at(-1)}`)).toEqual(
    mistakes,
  );
});

test('computed traits beyond the limit', () => {
  const trait = (n: number): Wanted<'traits'> => ({
    kind: 'traits',
    name: `trait_${n}`,
    body: definitionKinds.traits.parse({ compute: { aggregate: 'count' } }),
  });
  const there = Array.from({ length: MOST_COMPUTED_TRAITS }, (_, n) => ({ ...trait(n), version: 1 }) as InForce);
  const gone = { ...trait(1), body: undefined };
  expect(mistakesAmong([trait(7)], there)).toEqual([]);
  expect(mistakesAmong([gone, trait(100)], there)).toEqual([]);
  expect(mistakesAmong([trait(100)], there)).toEqual([
    {
      kind: 'traits',
      name: 'trait_100',
      path: ['spec', 'compute'],
      wrong: 'is one too many: with it there are 101 computed traits, at most 100 may be in force',
    },
  ]);
});
