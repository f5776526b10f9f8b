import { beforeEach, expect, test } from 'vitest';
import { changelogTopic, topics } from '#schemas/topics.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { addresses } from '../../support/addresses.ts';
import { countingTask } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';

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
