import { expect, test } from 'vitest';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { computedShape, traitsShape } from './shapes.ts';

const origin = { timestamp: 0, message_id: 'm', source: 's' };
const trait = (name: string, sensitivity: string) => ({ ...origin, name, value: '{"a":1}', sensitivity });
const part = (path: string) => ({ ...origin, path });
const profile = aProfile('p', 1, {
  traits: [trait('a/b~1', 'none'), trait('illness', 'sensitive')],
  trait_origins: [part('/a~1b~01/a'), part('/illness/a')],
  computed: [
    { name: 'ill', value: 'true', definition_version: 2 },
    { name: 'loyal', value: '1.0', definition_version: 3 },
  ],
});
const sensitiveTraits = new Map([
  ['ill', true],
  ['loyal', false],
]);
const some = { sensitive: false, sensitiveTraits };
const all = { sensitive: true, sensitiveTraits };

test('origins of parts are told of those traits that are told', () => {
  const { part_origins, withheld } = traitsShape(profile, some);
  expect(part_origins).toEqual({
    '/a~1b~01/a': { source: 's', message_id: 'm', timestamp: '1970-01-01T00:00:00.000Z' },
  });
  expect(withheld).toBe(1);
  expect(Object.keys(traitsShape(profile, all).part_origins)).toEqual(['/a~1b~01/a', '/illness/a']);
});

test('computed traits that are sensitive are counted, and neither they nor their definitions are told', () => {
  expect(computedShape(profile, some)).toMatchObject({ withheld: 1, origins: { loyal: { definition_version: 3 } } });
  expect(JSON.stringify(computedShape(profile, some))).not.toContain('"ill"');
  expect(Object.keys(computedShape(profile, all).computed)).toEqual(['ill', 'loyal']);
  const filling = new Map([...sensitiveTraits.keys()].map((name) => [name, 0.5]));
  expect(computedShape(profile, some, filling).filling).toEqual({ loyal: 0.5 });
  expect(computedShape(profile, all, filling).filling).toEqual({ ill: 0.5, loyal: 0.5 });
  expect(computedShape(profile, all)).not.toHaveProperty('filling');
});
