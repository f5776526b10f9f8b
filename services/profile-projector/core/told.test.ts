import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { toldText } from './told.ts';

test('an answer is told as it is, a list as far as there is room', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 100 }), (list) => {
      const text = toldText(list) as string;
      const told = JSON.parse(text) as string[];
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.traitValueBytes);
      expect(told).toEqual(list.slice(0, told.length));
      if (told.length === list.length) return;
      const one = JSON.stringify(list.slice(0, told.length + 1));
      expect(Buffer.byteLength(one)).toBeGreaterThan(limits.traitValueBytes);
    }),
  );
  expect(toldText('x'.repeat(limits.traitValueBytes - 2))).toHaveLength(limits.traitValueBytes);
  expect(toldText('x'.repeat(limits.traitValueBytes - 1))).toBeUndefined();
  expect([toldText(19.9), toldText(false)]).toEqual(['19.9', 'false']);
});
