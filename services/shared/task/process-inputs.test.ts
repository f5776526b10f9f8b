import { expect, test } from 'vitest';
import { Definitions } from '#shared/definitions/definitions.ts';
import { LostInfrastructure } from './errors.ts';
import { MemoryState, someMoment } from './memory.ts';
import { processInputs } from './process-inputs.ts';
import type { Input, Task, Work } from './task.ts';

const inputs = (...offsets: number[]): Input[] =>
  offsets.map((offset) => ({
    input: 'event',
    partition: 0,
    offset,
    key: 'k',
    value: { offset },
    timestamp: 0,
    raw: null,
  }));

const taskOf = (each: (input: Input, work: Work) => void): Task => ({
  name: 'tested',
  inputs: {},
  outputs: {},
  stores: {},
  process(batch, work) {
    for (const input of batch) each(input as Input, work);
  },
});

const unencodable = {};

async function run(task: Task, batch: Input[]): Promise<{ outcomes: Record<string, number>; commits: number[][] }> {
  const outcomes: Record<string, number> = {};
  const commits: number[][] = [];
  const circumstances = { definitions: new Definitions(), signal: new AbortController().signal, moment: someMoment };
  await processInputs(task, new MemoryState({}), batch, circumstances, {
    encode: (work, done) => {
      if (work.rejected.length === 0 && done.some(({ value }) => value === unencodable))
        throw new RangeError('too large');
      return done;
    },
    commit: async (done, work) => {
      commits.push(done.map(({ offset }) => offset));
      for (const counts of work.outcomes.values()) {
        for (const [outcome, count] of counts) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
      }
    },
  });
  return { outcomes, commits };
}

test('a batch without trouble is one commit', async () => {
  const { outcomes, commits } = await run(
    taskOf((input, work) => work.settle(input, 'done')),
    inputs(0, 1, 2),
  );
  expect(outcomes).toEqual({ done: 3 });
  expect(commits).toEqual([[0, 1, 2]]);
});

test('only the input that makes the core throw is rejected; commits stay in order and cover all', async () => {
  const task = taskOf((input, work) => {
    if (input.offset === 5) throw new TypeError('a bug');
    work.settle(input, 'done');
  });
  const { outcomes, commits } = await run(task, inputs(0, 1, 2, 3, 4, 5, 6, 7));
  expect(outcomes).toEqual({ done: 7, rejected: 1 });
  expect(commits.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('an input that is left without an outcome, or settled twice, is found out', async () => {
  expect(
    (
      await run(
        taskOf((input, work) => input.offset !== 1 && work.settle(input, 'done')),
        inputs(0, 1, 2),
      )
    ).outcomes,
  ).toEqual({ done: 2, rejected: 1 });
  const twice = taskOf((input, work) => {
    work.settle(input, 'done');
    if (input.offset === 2) work.settle(input, 'done');
  });
  expect((await run(twice, inputs(0, 1, 2))).outcomes).toEqual({ done: 2, rejected: 1 });
});

test('lost infrastructure is nobody’s fault: nothing is rejected, the error passes through', async () => {
  const task = taskOf(() => {
    throw new LostInfrastructure('gone');
  });
  await expect(run(task, inputs(0, 1))).rejects.toThrow('gone');
});

test('the core never sees an input that could not be read', async () => {
  const [first, second] = inputs(0, 1) as [Input, Input];
  const { outcomes } = await run(
    taskOf((input, work) => work.settle(input, 'done')),
    [{ ...first, undecodable: 'no' }, second],
  );
  expect(outcomes).toEqual({ done: 1, rejected: 1 });
});

test('an input whose output cannot be encoded is rejected like one that cannot be processed', async () => {
  const [first, second, third] = inputs(0, 1, 2) as [Input, Input, Input];
  const { outcomes, commits } = await run(
    taskOf((input, work) => work.settle(input, 'done')),
    [first, { ...second, value: unencodable }, third],
  );
  expect(outcomes).toEqual({ done: 2, rejected: 1 });
  expect(commits.flat()).toEqual([0, 1, 2]);
});
