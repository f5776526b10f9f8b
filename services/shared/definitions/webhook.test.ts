import { expect, test } from 'vitest';
import { validateDefinitions } from './validate.ts';

const errorsOf = (rule: object, webhook: object = {}): readonly string[] => {
  const spec = {
    writeKeys: [{ key: 'some-key' }],
    webhook: { events: [{ map: { event: 'E', userId: { '@path': '$.properties.id' } }, ...rule }], ...webhook },
  };
  const read = validateDefinitions(JSON.stringify({ kind: 'source', name: 'shop', spec }), 'f');
  return 'errors' in read ? read.errors.map((error) => error.replace(/^f:\d+:\d+ spec\.webhook\./, '')) : [];
};
const withMap = (map: object): readonly string[] => errorsOf({ map });
const PLACE = 'events.0.map';

test.each([
  ['body.type = "x"', 'asks about body.type; there are properties.… and context.…'],
  ['properties.a = "x" and headers.b = "y"', 'asks about headers.b; there are properties.… and context.…'],
  ['properties.a.0.b = "x"', 'asks about properties.a.0.b; there are properties.… and context.…'],
  ['type = "track"', 'asks about type; there are properties.… and context.…'],
  ['properties.a = and properties.b = 1', 'compares with nothing'],
  ['properties.a =', 'compares with nothing'],
  ['', 'is not a query: '],
])('a condition that would let too much through is refused: %s', (when, wrong) => {
  expect(errorsOf({ when })).toEqual([expect.stringContaining(`events.0.when: ${wrong}`)]);
});

test('a condition may ask about all that arrives', () => {
  const when =
    'context.headers.x-shopify-topic = "orders/create" and (properties.event-data.n >= 5 or !contains(context.query.a, "body.x")) and properties.a != null';
  expect(errorsOf({ when, each: '$.a.b-c' })).toEqual([]);
});

test.each([
  [{ event: { '@paht': '$.a' }, userId: 'u' }, `${PLACE}.event: / has an invalid directive: @paht.`],
  [
    { event: { '@path': 5 }, userId: 'u' },
    `${PLACE}.event: /@path should be a string or a mapping directive but it is a number.`,
  ],
  [
    { event: 'E', context: { externalIds: [{ id: { '@paht': '' } }] } },
    `${PLACE}.context: /id has an invalid directive: @paht.`,
  ],
  [{ event: { '@liquid': '{% if' }, userId: 'u' }, `${PLACE}.event: tag "{% if" not closed, line:1, col:1`],
  [{ event: 'E', userID: 'u' }, `${PLACE}.userID: no such field`],
  [{ userId: 'u' }, `${PLACE}.event: needed for track`],
  [{ type: 'alias', userId: 'u' }, `${PLACE}.previousId: needed for alias`],
  [{ event: 'E', properties: {} }, `${PLACE}: says nothing of whom it is about`],
  [{ type: 'charge', userId: 'u' }, `${PLACE}.type: Invalid option: expected one of`],
])('a mapping that could make no event is refused: %j', (map, wrong) => {
  expect(withMap(map)).toContainEqual(expect.stringContaining(wrong));
});

test.each([
  [{ scheme: 'rot13' }, 'verify.scheme: '],
  [{ scheme: 'hmac', secrets: ['s'] }, 'verify.header: '],
  [{ scheme: 'stripe', secrets: [] }, 'verify.secrets: '],
  [{ scheme: 'sendgrid', publicKeys: ['AAAA'] }, 'verify.publicKeys.0: not a public key in base64'],
])('a signature that could not be checked is refused: %j', (verify, wrong) => {
  expect(errorsOf({}, { verify })).toEqual([expect.stringContaining(wrong)]);
});

test('what is not a path is refused, and so is a webhook without events', () => {
  expect(errorsOf({ each: 'items' })).toEqual(['events.0.each: not a path such as $ or $.records']);
  expect(errorsOf({}, { events: [] })).toHaveLength(1);
});
