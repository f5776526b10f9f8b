import { expect, it } from 'vitest';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { destinationNames, difference } from './destination-names.ts';

const body = definitionKinds.destination.parse({ type: 'webhook', action: 'send', subscribe: 'type = "track"' });

it('starts what is new and stops what is gone', () => {
  expect(difference(['a', 'b'], ['b', 'c'])).toEqual({ start: ['c'], stop: ['a'] });
  expect(difference(['a'], ['a'])).toEqual({ start: [], stop: [] });
});

it('refuses names that would collide with the topics of others, or cannot be topics', () => {
  const names = ['shop', 'shop.dead', 'a b', '../x', '', 'x'.repeat(65)];
  const definitions = new Definitions(names.map((name) => ({ kind: 'destination', name, version: 1, body })));
  const { usable, unusable } = destinationNames(definitions);
  expect(usable).toEqual(['shop']);
  expect(unusable).toHaveLength(5);
});
