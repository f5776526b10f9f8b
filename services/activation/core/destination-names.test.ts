import { expect, it } from 'vitest';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { destinationNames, destinationsWithTopics } from './destination-names.ts';

const body = definitionKinds.destination.parse({ type: 'webhook', action: 'send', subscribe: 'type = "track"' });

it('finds the destinations that have a topic, and only those of this installation', () => {
  const topics = ['t.delivery.shop', 't.delivery.shop.dead', 't.deliveries', 'u.delivery.other', 't.delivery.a'];
  expect(destinationsWithTopics(topics, 't.')).toEqual(['a', 'shop']);
});

it('refuses names that would collide with the topics of others, or cannot be topics', () => {
  const names = ['shop', 'shop.dead', 'a b', '../x', '', 'x'.repeat(65)];
  const definitions = new Definitions(names.map((name) => ({ kind: 'destination', name, version: 1, body })));
  const { usable, unusable } = destinationNames(definitions);
  expect(usable).toEqual(['shop']);
  expect(unusable).toHaveLength(5);
});
