import { expect, test } from 'vitest';
import { askedAgain } from './asked-again.ts';

const refusal = (retriable: boolean) => Object.assign(new Error('not the coordinator'), { retriable });

test('what Kafka says to ask again is asked again, anything else is an answer', async () => {
  let asked = 0;
  const answer = await askedAgain(async () => {
    if (++asked < 3) throw refusal(true);
    return asked;
  });
  expect(answer).toBe(3);
  asked = 0;
  const refused = askedAgain(async () => {
    asked++;
    throw refusal(false);
  });
  await expect(refused).rejects.toThrow('not the coordinator');
  expect(asked).toBe(1);
});
