import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { definitionKinds } from './kinds.ts';
import { validateDefinitions } from './validate.ts';

const kinds = Object.keys(definitionKinds).join(', ');

const mistakes: readonly (readonly [name: string, text: string, errors: readonly string[]])[] = [
  ['nothing', '', ['f:1:1 has no definitions']],
  ['only comments', '# later\n---\n# too\n', ['f:1:1 has no definitions']],
  ['not a definition', 'hello', ['f:1:1 must be a definition: kind, name and spec']],
  ['no kind and no name', 'spec: {}', [`f:1:1 kind: must be one of ${kinds}`, 'f:1:1 name: must be a text']],
  ['an unknown kind', 'kind: sauce\nname: a', [`f:1:7 kind: must be one of ${kinds}`]],
  ['a kind that every object has', 'kind: constructor\nname: a', [`f:1:7 kind: must be one of ${kinds}`]],
  [
    'a misspelt field, where it stands',
    'kind: purpose\nname: ads\nspec:\n  descripton: x\n',
    ['f:4:3 spec.descripton: no such field'],
  ],
  [
    'fields beside spec',
    'kind: purpose\nname: ads\ndescription: x',
    ['f:3:1 description: no such field; there are kind, name, spec and delete'],
  ],
  [
    'a value deep inside',
    'kind: source\nname: web\nspec:\n  writeKeys:\n    - key: abcd\n    - key: x\n',
    ['f:6:12 spec.writeKeys.1.key: Too small: expected string to have >=4 characters'],
  ],
  [
    'what is missing, at what it is missing from',
    'kind: source\nname: web\nspec:\n  enabled: true\n',
    ['f:4:3 spec.writeKeys: Invalid input: expected array, received undefined'],
  ],
  [
    'mistakes of several documents, in their order',
    'kind: purpose\nname: ads\nspec: {default: maybe}\n---\nkind: purpose\nname: 7\n',
    ['f:3:17 spec.default: Invalid option: expected one of "granted"|"denied"', 'f:6:7 name: must be a text'],
  ],
  [
    'a name with a slash',
    'kind: purpose\nname: a/b',
    ['f:2:7 name: must have 1 to 64 letters, digits, dots, dashes or underscores'],
  ],
  [
    'a destination with a dot',
    'kind: destination\nname: a.dead\nspec: {type: webhook, action: send, subscribe: type = "track"}',
    ['f:2:7 name: of a destination must not have dots'],
  ],
  [
    'a subscription that cannot be understood',
    'kind: destination\nname: shop\nspec:\n  type: webhook\n  action: send\n  subscribe: type = "track" and and event\n',
    ['f:6:14 spec.subscribe: Value token is missing'],
  ],
  [
    'other identity rules',
    'kind: identity_rules\nname: mine\nspec: {types: [{type: user_id}]}',
    ['f:2:7 name: of identity_rules must be default'],
  ],
  [
    'the same twice',
    'kind: purpose\nname: ads\n---\nkind: purpose\nname: ads\n',
    ['f:5:7 name: purpose/ads is defined twice'],
  ],
  [
    'a write key of two sources, or twice of one',
    'kind: source\nname: a\nspec: {writeKeys: [{key: same}, {key: other}, {key: other}]}\n---\nkind: source\nname: b\nspec:\n  writeKeys:\n    - key: mine\n    - key: same\n',
    [
      'f:3:53 spec.writeKeys.2.key: is already a write key of source/a',
      'f:10:12 spec.writeKeys.1.key: is already a write key of source/a',
    ],
  ],
  [
    'delete with a spec',
    'kind: purpose\nname: ads\ndelete: true\nspec: {}',
    ['f:4:7 spec: must be absent where delete is true'],
  ],
  [
    'what is no YAML',
    'kind: [purpose\nname: ads',
    ['f:2:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
];

describe('validateDefinitions', () => {
  test.each(mistakes)('says what is wrong with %s', (_, text, errors) => {
    const result = validateDefinitions(text, 'f');
    expect('errors' in result ? result.errors : []).toEqual(errors);
  });

  test('reads YAML documents and fills in what is not said', () => {
    const text =
      'kind: purpose\nname: ads\nspec:\n  description: Advertising\n---\nkind: source\nname: old\ndelete: true\n';
    expect(validateDefinitions(text, 'f')).toMatchObject({
      definitions: [
        { kind: 'purpose', name: 'ads', body: { description: 'Advertising', default: 'denied' } },
        { kind: 'source', name: 'old', body: undefined },
      ],
    });
  });

  test('reads a JSON list, and finds mistakes in it', () => {
    const good =
      '[{"kind": "purpose", "name": "ads"}, {"kind": "purpose", "name": "news", "spec": {"default": "granted"}}]';
    expect(validateDefinitions(good, 'f')).toMatchObject({
      definitions: [
        { kind: 'purpose', name: 'ads', body: { description: '', default: 'denied' } },
        { kind: 'purpose', name: 'news', body: { description: '', default: 'granted' } },
      ],
    });
    expect(validateDefinitions('[{"kind": "purpose", "name": "ads"},\n {"kind": "purpose", "name": ""}]', 'f')).toEqual(
      {
        errors: ['f:2:30 name: must have 1 to 64 letters, digits, dots, dashes or underscores'],
      },
    );
  });

  test('finds the first definitions of the local platform right', () => {
    const file = new URL('../../../deploy/local/definitions.yaml', import.meta.url);
    const result = validateDefinitions(readFileSync(file, 'utf8'), 'definitions.yaml');
    expect(result).not.toHaveProperty('errors');
  });
});
