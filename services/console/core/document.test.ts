import { expect, test } from 'vitest';
import { documentOf } from './document.ts';
import { arrivalOf } from './route.ts';

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
