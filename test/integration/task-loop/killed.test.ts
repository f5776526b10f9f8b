import { beforeEach, describe, test } from 'vitest';
import { addresses } from '../../support/addresses.ts';
import { countOut, expectEachOnce, startCounter, stopCounter } from '../../support/counted.ts';
import { produceEvents } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
beforeEach(async () => {
  installation = await createInstallation(addresses());
  return () => installation.close();
});

describe('each event is done once', () => {
  test('when the process is killed again and again, on the same disk', async () => {
    const directory = temporaryDirectory();
    let counter = await startCounter(installation, directory);
    for (let round = 0; round < 4; round++) {
      const producing = produceEvents(installation, round * 3_000, 3_000);
      await until('some are out', async () => (await countOut(installation)) > round * 3_000);
      counter.kill('SIGKILL');
      await producing;
      counter = await startCounter(installation, directory);
    }
    await expectEachOnce(installation, 12_000);
    await stopCounter(counter);
  });

  test('when a process is suspended, loses its partitions to another, and wakes up as a zombie', async () => {
    const zombie = await startCounter(installation);
    const producing = produceEvents(installation, 0, 20_000);
    await until('some are out', async () => (await countOut(installation)) > 500);
    zombie.kill('SIGSTOP');
    await producing;
    const successor = await startCounter(installation);
    await until('most are out', async () => (await countOut(installation)) > 15_000);
    zombie.kill('SIGCONT');
    await produceEvents(installation, 20_000, 5_000);
    await expectEachOnce(installation, 25_000);
    await stopCounter(zombie);
    await stopCounter(successor);
  });
});
