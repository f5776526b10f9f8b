import { beforeEach, expect, test } from 'vitest';
import { changelogTopic, topics } from '#schemas/topics.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { defineTask } from '#shared/task/task.ts';
import { addresses } from '../../support/addresses.ts';
import { countingTask } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
beforeEach(async () => {
  installation = await createInstallation(addresses(), 3);
  return () => installation.close();
});

async function expectRefusal(task: unknown, reason: RegExp): Promise<void> {
  const runner = new TaskRunner(task, installation.host());
  await expect(runner.run()).rejects.toThrow(reason);
  await runner.stop();
}

test('a changelog with fewer partitions than the input is refused at the start: some would wait for their state for ever', async () => {
  const changelog = changelogTopic(1, 'counter', 'many');
  await provisionTopics(installation.admin, [planOf(changelog, installation.prefix, 2, 1)]);
  await expectRefusal(countingTask(), /same number of partitions.*events\.collected 3.*counter\.changelog 2/);
});

test('so are inputs that cannot be read together', async () => {
  const task = countingTask();
  await expectRefusal(
    { ...task, inputs: { ...task.inputs, claim: topics.identityClaims } },
    /same number of partitions.*events\.collected 3.*identity\.claims 1/,
  );
});

test('a task that rests is called when it asked to be, and when definitions have changed', async () => {
  const calls: { readonly partition: number; readonly now: number }[] = [];
  const of = (partition: number) => calls.filter((call) => call.partition === partition).map(({ now }) => now);
  let definitions = new Definitions();
  const sleeper = defineTask({
    name: 'sleeper',
    inputs: { event: topics.eventsCollected },
    outputs: {},
    stores: {},
    goesOn: true,
    process(_, work) {
      const { partition, now } = work.moment;
      if (of(partition).length === 0) work.wakeAt(now + 1_500);
      calls.push({ partition, now });
    },
  });
  const runner = new TaskRunner(sleeper, installation.host({ definitions: () => definitions }));
  const running = runner.run();
  const calledTimes = (times: number) => async () => [0, 1, 2].every((partition) => of(partition).length === times);
  await until('each partition was woken', calledTimes(2));
  for (const partition of [0, 1, 2]) {
    const [first = 0, second = 0] = of(partition);
    expect(second - first).toBeGreaterThanOrEqual(1_500);
  }
  definitions = new Definitions();
  await until('each partition was told of other definitions', calledTimes(3));
  await runner.stop();
  await running;
});
