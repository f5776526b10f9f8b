import { expect, test } from 'vitest';
import { standingOf } from './standing.ts';

test.each([
  [undefined, 'behind'],
  [{ version: 2, digest: 7n }, 'behind'],
  [{ version: 3, digest: 7n }, 'same'],
  [{ version: 3, digest: 8n }, 'differs'],
  [{ version: 3, digest: 0n }, 'differs'],
  [{ version: 4, digest: 7n }, 'ahead'],
] as const)('%o beside version 3', (warehouse, standing) => {
  expect(standingOf({ version: 3, digest: 7n }, warehouse)).toBe(standing);
});
