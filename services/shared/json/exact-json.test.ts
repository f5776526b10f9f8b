import { expect, test } from 'vitest';
import { exactly } from './exact-json.ts';

test.each([
  '{"a":12345678901234567890,"b":[0.10,1e400,{"c":1.00}],"d":"x","e":null,"f":true}',
  '9007199254740993',
  '"a"',
])('%s comes out as it went in', (text) => {
  expect(JSON.stringify(exactly(text))).toBe(text);
});

test('what is not JSON is nothing', () => {
  expect(exactly('{')).toBeUndefined();
});
