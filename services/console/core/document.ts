import { z } from 'zod';
import { problem } from './answers.ts';
import { type Route, routes } from './routes.ts';
import { SCOPES } from './scopes.ts';

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of the read API, made from its routes. */
export function documentOf(): Json {
  const components: Record<string, unknown> = {};
  const schemaOf = (schema: z.ZodType): Json => {
    // As it is read, so that what does not know a field that is added later does not refuse it.
    const made = z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
    const { $schema: _, $defs = {}, id, ...rest } = rereferred(made) as Record<string, unknown>;
    for (const [name, { id: __, ...definition }] of Object.entries($defs as Record<string, Record<string, unknown>>))
      components[name] = definition;
    if (typeof id !== 'string') return rest;
    components[id] = rest;
    return { $ref: `#/components/schemas/${id}` };
  };
  const json = (schema: Json) => contentOf('application/json', schema);
  const refusal = (description: string) => ({ description, ...json(schemaOf(problem)) });

  const operationOf = (route: Route) => {
    const { part, summary, scopes, parameters, body, answer, type, tagged, path } = route;
    const isOfProfile = path.includes('{profile}');
    return {
      operationId: part,
      summary,
      description: scopes.length > 0 ? `Scopes: ${scopes.join(', ')}.` : 'Any token.',
      security: [{ bearer: scopes }, { apiKey: scopes }],
      parameters: [
        ...(isOfProfile
          ? [
              {
                name: 'profile',
                in: 'path',
                required: true,
                description: 'type:value of any identifier, or profile_id: and an id that it has or ever had',
                schema: { type: 'string' },
                example: 'user_id:42',
              },
            ]
          : []),
        ...Object.entries(parameters).map(([name, { description, schema, required }]) => ({
          name,
          in: 'query',
          required,
          description,
          schema,
        })),
        ...(tagged ? [{ name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } }] : []),
      ],
      ...(body ? { requestBody: { required: true, ...json(schemaOf(body.schema)) } } : {}),
      responses: {
        200: {
          description: 'the answer',
          ...(tagged ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
          ...contentOf(type, schemaOf(answer)),
        },
        ...(tagged ? { 304: { description: 'it is what If-None-Match names' } } : {}),
        400: refusal('not asked as it should be'),
        401: refusal('no token, or none that is known'),
        403: refusal('the token lacks a scope'),
        ...(isOfProfile ? { 404: refusal('there is no such profile or identifier') } : {}),
        ...(body ? { 413: refusal('the body is too large'), 415: refusal('the body is encoded') } : {}),
        429: refusal('the token has used up its rate; Retry-After says when to come again'),
        503: refusal('not now'),
      },
    };
  };

  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    (paths[route.path] as Record<string, unknown>)[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tributary: read API',
      version: '1',
      description: `Scopes of tokens:\n\n${Object.entries(SCOPES)
        .map(([scope, opens]) => `- \`${scope}\`: ${opens}`)
        .join('\n')}`,
    },
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
    },
  };
}

const contentOf = (type: Route['type'], schema: Json) => ({ content: { [type]: { schema } } });

/** References as OpenAPI has them. */
function rereferred(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rereferred);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      name === '$ref' && typeof value === 'string'
        ? value.replace('#/$defs/', '#/components/schemas/')
        : rereferred(value),
    ]),
  );
}
