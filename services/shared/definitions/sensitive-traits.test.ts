import { expect, test } from 'vitest';
import { Definitions } from './definitions.ts';
import { definitionKinds } from './kinds.ts';
import { sensitiveTraitsIn } from './sensitive-traits.ts';

const traits = (bodies: Readonly<Record<string, object>>): Definitions =>
  new Definitions(
    Object.entries(bodies).map(([name, body]) => ({
      kind: 'traits',
      name,
      version: 1,
      body: definitionKinds.traits.parse(body),
    })),
  );
const sensitive = (bodies: Readonly<Record<string, object>>): readonly string[] =>
  [...sensitiveTraitsIn(traits(bodies))].filter(([, isSensitive]) => isSensitive).map(([name]) => name);

const diagnosis = { sensitivity: 'sensitive' };

test('what is defined is sensitive where it says so, and nothing is known of the rest', () => {
  const known = sensitiveTraitsIn(traits({ diagnosis, plan: {}, email: { sensitivity: 'personal' } }));
  expect(Object.fromEntries(known)).toEqual({ diagnosis: true, plan: false, email: false });
});

test.each<[string, object]>([
  ['asks about one', { all: [{ trait: 'plan', is: 'pro' }, { not: { trait: 'diagnosis', exists: true } }] }],
  ['asks about a computed one that does', { computed: 'z_ill', is: true }],
  ['looks at it in events', { aggregate: 'count', of: { where: { any: [{ path: 'traits.diagnosis', is: 'x' }] } } }],
  ['takes its parts from there', { aggregate: 'last', value: 'context.traits.diagnosis.code', of: { type: 'track' } }],
])('a computed trait is sensitive that %s', (_, compute) => {
  // Sorted by name, what asks comes before what it asks about.
  const z_ill = { compute: { trait: 'diagnosis', exists: true } };
  expect(sensitive({ asking: { compute }, diagnosis, z_ill })).toEqual(['asking', 'diagnosis', 'z_ill']);
});

test.each<[string, object]>([
  ['asks about others', { trait: 'plan', is: 'diagnosis' }],
  ['reads a property of that name', { aggregate: 'last', value: 'properties.diagnosis', of: { type: 'track' } }],
])('it is not that %s', (_, compute) => {
  expect(sensitive({ asking: { compute }, diagnosis })).toEqual(['diagnosis']);
});
