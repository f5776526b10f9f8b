import { describe, expect, test } from 'vitest';
import { cursorOf } from './cursor.ts';
import { Problem } from './problem.ts';
import { questionOf } from './route.ts';

const me = { by: 'identifier', type: 'user_id', value: 'a/b ü' };
const path = '/v1/profiles/user_id%3Aa%2Fb%20%C3%BC';

describe('questionOf', () => {
  test.each([
    [path, { part: 'profile', reference: me }],
    [`${path}?x=1`, { part: 'profile', reference: me }],
    [`${path}/traits`, { part: 'traits', reference: me }],
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
});
