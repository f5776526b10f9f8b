import { expect, test } from 'vitest';
import type { InForce } from './definitions.ts';
import { definitionKinds } from './kinds.ts';
import { sharedWriteKeys } from './shared-write-keys.ts';
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
