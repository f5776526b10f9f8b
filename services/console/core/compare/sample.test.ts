import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sample } from './sample.ts';

test('is all of few, and of many the same ids, whatever the order they came in', () => {
  const ids = fc.uniqueArray(fc.uuid({ version: 5 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      ids.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      fc.integer({ min: 1, max: 30 }),
      ([all, shuffled], most) => {
        const [one, other] = [all, shuffled].map((list) => {
          const sample = new Sample<number>(most);
          for (const id of list) sample.set(id, 1);
          return sample;
        }) as [Sample<number>, Sample<number>];
        expect([...one.kept.keys()].sort()).toEqual([...other.kept.keys()].sort());
        expect(one.kept.size).toBeLessThanOrEqual(most);
        if (all.length <= most) expect([one.kept.size, one.bits]).toEqual([all.length, 0]);
      },
    ),
  );
});

test('narrowed, keeps what one does that was as narrow from the beginning', () => {
  const sample = new Sample<number>(10);
  for (const id of ['00000000', '3fffffff', '40000000', '80000000', 'ffffffff']) sample.set(id, 1);
  sample.narrow(2);
  expect([...sample.kept.keys()]).toEqual(['00000000', '3fffffff']);
  sample.set('40000000', 1);
  sample.delete('00000000');
  expect([...sample.kept.keys()]).toEqual(['3fffffff']);
});
