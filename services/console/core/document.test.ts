import { expect, test } from 'vitest';
import { z } from 'zod';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { profileShape } from '#shared/profiles/profile-shape.ts';
import { documentOf } from './document.ts';
import { arrivalOf } from './route.ts';
import { traitsShape } from './shapes.ts';

const document = documentOf() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};

test('every operation leads to the route that it describes', () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
  );
  expect(operations.length).toBeGreaterThan(10);
  for (const { path, method, operationId } of operations)
    expect(arrivalOf(method.toUpperCase(), path.replace('{profile}', 'user_id%3A42')).route.part).toBe(operationId);
});

test('every reference leads to a schema, and none has another form', () => {
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to as string);
  expect(references).toContain('#/components/schemas/Profile');
  for (const to of references) {
    expect(to).toMatch(/^#\/components\/schemas\/\w+$/);
    expect(document.components.schemas).toHaveProperty(to.replace('#/components/schemas/', ''));
  }
  expect(text).not.toMatch(/\$defs|"\$schema"/);
});

test('what is a stream is told as one', () => {
  const { get } = document.paths['/v1/live'] as { readonly get: object };
  expect(get).toMatchObject({ responses: { 200: { content: { 'text/event-stream': {} } } } });
});

test('of a profile that has something of everything it describes all', () => {
  const at = { timestamp: 0, source: 's' };
  const says = { ...at, message_id: 'm' };
  const touch = {
    ...says,
    referrer: null,
    utm_source: 'x',
    utm_medium: null,
    utm_campaign: null,
    utm_term: null,
    utm_content: null,
    utm_id: null,
  };
  const profile = aProfile('11111111-1111-5111-8111-111111111111', 1, {
    identifiers: [{ type: 'user_id', value: 'u', hash: 'h' }],
    traits: [{ ...says, name: 'a', value: '{"b":1}', sensitivity: 'personal' }],
    trait_origins: [{ ...says, path: '/a/b' }],
    computed: [{ name: 'c', value: '1', definition_version: 1 }],
    audiences: [{ audience: 'vip', episode: 1, since: 0, definition_version: 1 }],
    consents: [{ purpose: 'ads', state: 'granted', time: 0, source: 's', policy_version: null }],
    event_counts: [{ event: 'page', count: 1 }],
    revenue: [{ currency: 'EUR', amount: '1' }],
    order_count: 1,
    products: [{ product: 'p', currency: 'EUR', name: '', quantity: '1', revenue: '1' }],
    first_touch: touch,
    last_touch: touch,
    session_count: 1,
    first_session_at: 0,
    groups: [{ ...at, group: 'g', traits: '{"size":1}' }],
    interactions: [{ ...at, id: 'i', state: 'open', channel: null, direction: null, agent: null }],
    first_seen: 0,
    last_seen: 0,
  });
  const all = { sensitive: true, sensitiveTraits: new Map() };
  const closed = (_: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'properties' in value
      ? { ...value, additionalProperties: false }
      : value;
  const $defs = JSON.parse(
    JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '#/$defs/'),
    closed,
  );
  const faultsOf = (name: string, told: unknown) =>
    z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs } as never).safeParse(JSON.parse(JSON.stringify(told))).error
      ?.issues ?? [];
  const told = profileShape(profile, all);
  expect(Object.values(told).filter((value) => value === undefined)).toEqual([]);
  expect(faultsOf('Profile', told)).toEqual([]);
  expect(faultsOf('Traits', traitsShape(profile, all))).toEqual([]);
  expect(faultsOf('Profile', { ...told, products: [{ ...told.products[0], x: 1 }] })).not.toEqual([]);
});
