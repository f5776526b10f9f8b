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
    'types that a computed trait cannot be of',
    `- {kind: traits, name: a, spec: {type: text, compute: {aggregate: count}}}
- {kind: traits, name: b, spec: {type: list, compute: {aggregate: last, value: properties.x}}}
- {kind: traits, name: c, spec: {type: date, compute: {aggregate: last, value: properties.x}}}
- {kind: traits, name: d, spec: {type: date, compute: {aggregate: mostFrequent, value: properties.x}}}
- {kind: traits, name: e, spec: {type: boolean, compute: {trait: x, is: 1}}}
- {kind: traits, name: f, spec: {type: money}}
- {kind: traits, name: g, spec: {type: text, compute: {aggregate: mostFrequent, value: time.hour}}}
`,
    [
      'f:1:40 spec.type: must be number, which is what it is made into, or absent',
      'f:2:40 spec.type: must not be list: what events say here is never one',
      'f:6:40 spec.type: Invalid option: expected one of "text"|"number"|"boolean"|"date"|"list"',
      'f:7:40 spec.type: must be number, which is what it is made into, or absent',
    ],
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
    'identity rules that say something twice, or what cannot be',
    `kind: identity_rules
name: default
spec:
  types:
    - { type: user_id, limit: 2, limitDays: 30 }
    - { type: card }
    - { type: card }
    - { type: "a:b" }
    - { type: profile_id }
    - { type: external_id, from: [properties.id] }
    - type: loyalty
      from:
        - properties.card
        - userId.card
        - traits
        - integrations.card
        - context.externalIds.card
        - anonymousId
  phoneCountry: XX
`,
    [
      'f:5:31 spec.types.0.limit: must be 1: two user ids are two people',
      'f:5:45 spec.types.0.limitDays: must be absent: one person has one user id for ever',
      'f:7:15 spec.types.2.type: card is there twice',
      'f:8:15 spec.types.3.type: must be a name such as loyalty_card, or external_id:<type>',
      'f:9:15 spec.types.4.type: is what profiles are asked for by, and no identifier of an event',
      'f:10:34 spec.types.5.from: must be absent: external ids stand in context.externalIds; external_id:<type> may have other places',
      'f:14:11 spec.types.6.from.1: can never match: userId is a single value',
      'f:15:11 spec.types.6.from.2: can never match: traits is an object, name what is in it',
      'f:16:11 spec.types.6.from.3: can never match: it must be userId, anonymousId or groupId, or begin with traits, properties or context',
      'f:17:11 spec.types.6.from.4: can never match: external ids are a list, and are of the types external_id and external_id:<type>',
      'f:19:17 spec.phoneCountry: XX is no country with phone numbers',
    ],
  ],
  [
    'identity rules that tell nobody apart',
    'kind: identity_rules\nname: default\nspec:\n  types: [{type: email}]\n',
    ['f:4:10 spec.types: must have user_id: it is what tells people apart'],
  ],
  [
    'a time zone that there is not, or that is of nothing',
    'kind: traits\nname: a\nspec: {compute: {aggregate: count}, timeZone: Europe/Berln}\n---\nkind: traits\nname: plan\nspec:\n  timeZone: Europe/Berlin\n',
    [
      'f:3:47 spec.timeZone: must be the name of a time zone, spelled as in Europe/Berlin',
      'f:8:13 spec.timeZone: is of what is computed; there is no compute',
    ],
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

  test('what identity rules leave out of a type is as usual; a limit that is told has no window but its own', () => {
    const { success, data } = definitionKinds.identity_rules.safeParse({
      types: [
        { type: 'user_id' },
        { type: 'email' },
        { type: 'email', limit: 3 },
        { type: 'email', limitDays: 7 },
        { type: 'device_id' },
        { type: 'card' },
      ],
    });
    expect([success, data?.types]).toEqual([
      true,
      [
        { type: 'user_id', limit: 1, links: 'strong' },
        { type: 'email', limit: 2, limitDays: 365, links: 'strong' },
        { type: 'email', limit: 3, links: 'strong' },
        { type: 'email', limit: 2, limitDays: 7, links: 'strong' },
        { type: 'device_id', limit: 5, limitDays: 365, links: 'weak' },
        { type: 'card', limit: 5, links: 'strong' },
      ],
    ]);
    expect(definitionKinds.identity_rules.parse(data)).toEqual(data);
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
