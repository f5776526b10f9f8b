import { describe, expect, test } from 'vitest';
import { cursorOf } from './cursor.ts';
import { Problem } from './problem.ts';
import { arrivalOf } from './route.ts';

const questionOf = (method: string, target: string, body?: unknown) =>
  arrivalOf(method, target).question(body === undefined ? undefined : Buffer.from(JSON.stringify(body)));

const me = { by: 'identifier', type: 'user_id', value: 'a/b ü' };
const path = '/v1/profiles/user_id%3Aa%2Fb%20%C3%BC';

describe('questionOf', () => {
  test.each([
    [path, { part: 'profile', reference: me, at: undefined }],
    [`${path}?at=1970-01-01T00:00:01Z`, { part: 'profile', reference: me, at: 1_000 }],
    [`${path}/traits`, { part: 'traits', reference: me, at: undefined }],
    [`${path}/computed?at=1970-01-01T00:00:01%2B00:00`, { part: 'computed', reference: me, at: 1_000 }],
    [`${path}/consents`, { part: 'consents', reference: me, at: undefined }],
    [`${path}/identifiers`, { part: 'identifiers', reference: me }],
    [`${path}/events`, { part: 'events', reference: me, page: { limit: 100, before: undefined, after: undefined } }],
    [
      `${path}/events?limit=5&before=1970-01-01T00:00:01Z`,
      { part: 'events', reference: me, page: { limit: 5, before: 1_000, after: undefined } },
    ],
    [
      `${path}/history?limit=99999&before=7`,
      { part: 'history', reference: me, page: { limit: 1_000, before: 7, after: undefined } },
    ],
    [
      `${path}/history?cursor=${cursorOf([3, null])}`,
      { part: 'history', reference: me, page: { limit: 100, before: undefined, after: [3, null] } },
    ],
    [
      `${path}/explain?with=email%3Aa%40b.co`,
      { part: 'explain', reference: me, other: { by: 'identifier', type: 'email', value: 'a@b.co' } },
    ],
    [`${path}/graph`, { part: 'graph', reference: me }],
    [`${path}/where`, { part: 'where', reference: me }],
    [`${path}/as-of?time=1970-01-01T00:00:01Z`, { part: 'as-of', reference: me, time: 1_000 }],
    ['/v1/identity/health', { part: 'health' }],
    ['/v1/openapi.json', { part: 'document' }],
  ])('%s', (target, question) => {
    expect(questionOf('GET', target)).toEqual(question);
  });

  test.each([
    ['GET', '/', 404, 'no_such_route'],
    ['GET', '/v1/profiles', 404, 'no_such_route'],
    ['GET', '/v1/profiles/', 404, 'no_such_route'],
    ['GET', `${path}/nothing`, 404, 'no_such_route'],
    ['GET', `${path}/traits/more`, 404, 'no_such_route'],
    ['GET', `x${path}`, 404, 'no_such_route'],
    ['POST', path, 405, 'method_not_allowed'],
    ['GET', '/v1/profiles/batch', 405, 'method_not_allowed'],
    ['GET', '/v3/graphql', 405, 'method_not_allowed'],
    ['PUT', '/v1/openapi.json', 405, 'method_not_allowed'],
    ['GET', `${path}?x=1`, 400, 'invalid_parameter'],
    ['GET', `${path}/events?at=2026-01-01T00:00:00Z`, 400, 'invalid_parameter'],
    ['GET', `${path}?at=2026-01-01&at=2025-01-01`, 400, 'invalid_parameter'],
    ['GET', `${path}?at=`, 400, 'invalid_parameter'],
    ['GET', `${path}?at=2300-01-01`, 400, 'invalid_parameter'],
    ['GET', `${path}?at=1969-01-01`, 400, 'invalid_parameter'],
    ['GET', `${path}/events?cursor=${cursorOf([9e15, 'a', 'b', 'c'])}`, 400, 'invalid_parameter'],
    ['GET', '/v1/profiles/user_id%3A%ff', 400, 'invalid_identifier'],
    ['GET', '/v1/profiles/42', 400, 'invalid_identifier'],
    ['GET', '/v1/profiles/user_id%3A%', 400, 'invalid_identifier'],
    ['GET', `${path}/explain`, 400, 'missing_parameter'],
    ['GET', `${path}/explain?with=42`, 400, 'invalid_identifier'],
    ['GET', `${path}/as-of`, 400, 'missing_parameter'],
    ['GET', `${path}/as-of?time=yesterday`, 400, 'invalid_parameter'],
    ['GET', '/v1/identity', 404, 'no_such_route'],
    ['POST', '/v1/identity/health', 405, 'method_not_allowed'],
    ['GET', `${path}/events?limit=many`, 400, 'invalid_parameter'],
    ['GET', `${path}/events?before=7`, 400, 'invalid_parameter'],
    ['GET', `${path}/events?cursor=${cursorOf([3, null])}`, 400, 'invalid_parameter'],
  ])('%s %s: %i %s', (method, target, status, code) => {
    let problem: unknown;
    try {
      questionOf(method, target);
    } catch (error) {
      problem = error;
    }
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status, code });
  });

  test('reads bodies, and says what is wrong with one', () => {
    const query = 'query {customer(fs_user_id : "u") {audiences(subset: ["a"]) {edges {node {name state}}}}}';
    expect(questionOf('POST', '/v3/graphql', { query })).toEqual({
      part: 'audiences',
      reference: { by: 'identifier', type: 'user_id', value: 'u' },
      subset: ['a'],
    });
    expect(questionOf('POST', '/v1/profiles/batch', { profiles: ['user_id:1', 'x'] })).toEqual({
      part: 'batch',
      profiles: ['user_id:1', 'x'],
    });
    const wrong = (path: string, body: Uint8Array) => {
      try {
        return arrivalOf('POST', path).question(body);
      } catch (error) {
        return `${(error as Problem).status} ${(error as Problem).code}: ${(error as Problem).message}`;
      }
    };
    const batch = (body: string) => wrong('/v1/profiles/batch', Buffer.from(body));
    expect(batch('')).toBe('400 invalid_body: the body is no JSON');
    expect(wrong('/v1/profiles/batch', Buffer.from('7b2270ff', 'hex'))).toBe('400 invalid_body: the body is no JSON');
    expect(batch('[]')).toMatch(/^400 invalid_body: /);
    expect(batch('{"profiles":[7]}')).toMatch(/^400 invalid_body: profiles\.0: /);
    expect(batch(JSON.stringify({ profiles: Array(101).fill('user_id:1') }))).toBe(
      '400 invalid_body: profiles: at most 100',
    );
    expect(wrong('/v3/graphql', Buffer.from('{"query":"{__schema}"}'))).toMatch(/^400 invalid_query: /);
  });
});
