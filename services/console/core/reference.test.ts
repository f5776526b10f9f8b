import { expect, test } from 'vitest';
import { parseReference } from './reference.ts';

const id = '0a1b2c3d-0000-5000-8000-0123456789ab';

test.each([
  ['user_id:42', { by: 'identifier', type: 'user_id', value: '42' }],
  ['user_id:a:b', { by: 'identifier', type: 'user_id', value: 'a:b' }],
  ['external_id:crm:42', { by: 'identifier', type: 'external_id:crm', value: '42' }],
  ['external_id:crm:a:b', { by: 'identifier', type: 'external_id:crm', value: 'a:b' }],
  [`profile_id:${id}`, { by: 'profile_id', profileId: id }],
  [`profile_id:${id.toUpperCase()}`, { by: 'profile_id', profileId: id }],
  ['profile_id:42', undefined],
  ['external_id:crm', undefined],
  ['user_id:', undefined],
  [':42', undefined],
  ['42', undefined],
  ['', undefined],
])('%s', (text, reference) => {
  expect(parseReference(text)).toEqual(reference);
});
