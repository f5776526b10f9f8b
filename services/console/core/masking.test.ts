import { expect, test } from 'vitest';
import { masked, maskedAnswer } from './masking.ts';

test.each([
  ['email:ada@example.com', 'email:a…@example.com'],
  ['email:@odd', 'email:@…d'],
  ['user_id:customer-4711', 'user_id:c…1'],
  ['user_id:🙂abc🙃', 'user_id:🙂…🙃'],
  ['user_id:42', 'user_id:…'],
  ['external_id:crm:4711', 'external_id:crm:4…1'],
  ['profile_id:11111111-1111-5111-8111-111111111111', 'profile_id:11111111-1111-5111-8111-111111111111'],
  ['not an identifier', 'not an identifier'],
])('%s is shown as %s', (name, shown) => {
  expect(masked(name)).toBe(shown);
});

test('an answer is masked wherever it names identifiers, and only there', () => {
  const answer = (name: string) => ({
    profile_id: 'p',
    chain: [{ from: name, to: name, message_id: 'user_id:secret', claims: 2 }],
    identifiers: [name, { identifier: name, hash: 'h' }],
    other: null,
  });
  expect(maskedAnswer(answer('user_id:secret'))).toEqual(answer('user_id:s…t'));
});
