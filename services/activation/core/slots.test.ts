import { expect, it } from 'vitest';
import { Slots } from './slots.ts';

it('never gives out more places than there are, and all in the end', async () => {
  const slots = new Slots();
  let inside = 0;
  let most = 0;
  const visits = Array.from({ length: 50 }, async () => {
    await slots.take(3);
    most = Math.max(most, ++inside);
    await Promise.resolve();
    inside--;
    slots.give();
  });
  await Promise.all(visits);
  expect(most).toBe(3);
  expect(inside).toBe(0);
});
