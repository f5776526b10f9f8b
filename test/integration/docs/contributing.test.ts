import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { memoryPartition } from '#shared/task/memory.ts';
import { counter } from '../../../docs/examples/counter.ts';
import { anEvent } from '../../support/counting-task.ts';

test('the task that CONTRIBUTING.md shows is the one that is tested here', () => {
  const root = new URL('../../../', import.meta.url);
  const page = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8');
  const [, shown] = /```ts\n\/\/ services\/counter\/counter.ts\n([\s\S]*?)```/.exec(page) ?? [];
  expect(shown).toBe(readFileSync(new URL('docs/examples/counter.ts', root), 'utf8'));
});

test('the task that CONTRIBUTING.md shows counts, over batches, and rejects what has no value', async () => {
  const partition = memoryPartition(counter, 0);
  const event = (key: string) => ({
    input: 'event',
    key,
    value: { ...anEvent('m'), profile_id: key, mapping_version: 0 },
  });
  const first = await partition.run([event('a'), event('b'), event('a')]);
  const second = await partition.run([event('a'), { input: 'event', key: 'b', value: null }]);
  expect([first.outcomes, second.outcomes]).toEqual([{ counted: 3 }, { counted: 1, rejected: 1 }]);
  expect(partition.entries('count')).toEqual([
    ['a', { event: 'any', count: 3 }],
    ['b', { event: 'any', count: 1 }],
  ]);
});
