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

it('gives them out in the order in which they were asked for, whoever comes at the moment when one is free', async () => {
  const slots = new Slots();
  const order: string[] = [];
  const visit = (name: string) => slots.take(1).then(() => void order.push(name));
  await visit('first');
  const rest = [visit('second')];
  slots.give();
  rest.push(visit('third'));
  await rest[0];
  slots.give();
  await Promise.all(rest);
  expect(order).toEqual(['first', 'second', 'third']);
});

it('lets in those who wait when there are more places from now on', async () => {
  const slots = new Slots();
  await slots.take(1);
  const waiting = [slots.take(1), slots.take(1)];
  await slots.take(4);
  await Promise.all(waiting);
});
