import { afterAll, beforeAll, expect, test } from 'vitest';
import { TaskRunner } from '#shared/task/runner.ts';
import { countingTask } from '../support/counting-task.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

let platform: RunningPlatform;
let installation: Installation;

beforeAll(async () => {
  platform = await startPlatform({ parts: ['kafka', 'registry'] });
  installation = await createInstallation(platform);
});
afterAll(async () => {
  await installation?.close();
  await platform?.stop();
});

test('a task that has nothing to do notices that Kafka hangs: it is not ready, ready again, and gives up in the end', async () => {
  const runner = new TaskRunner(countingTask(), installation.host({ giveUpMs: 40_000 }));
  const running = runner.run();
  running.catch(() => undefined);
  await until('it is ready', () => runner.notReady().length === 0);
  platform.kill('kafka', 'SIGSTOP');
  await until('it is not ready', () => runner.notReady().join() === 'counter does not hear from Kafka');
  platform.kill('kafka', 'SIGCONT');
  await until('it is ready again', () => runner.notReady().length === 0);
  platform.kill('kafka', 'SIGSTOP');
  await expect(running).rejects.toThrow('not heard from Kafka');
  platform.kill('kafka', 'SIGCONT');
  await runner.stop();
});
