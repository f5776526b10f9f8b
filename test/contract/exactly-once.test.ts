import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TaskRunner } from '#shared/task/runner.ts';
import { addresses } from '../support/addresses.ts';
import { countOut, expectEachOnce } from '../support/counted.ts';
import { countingTask, produceEvents } from '../support/counting-task.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { accountingOf } from '../support/read-all.ts';
import { until } from '../support/until.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses());
});
afterAll(() => installation.close());

describe('a task', () => {
  test('does each event once, over stops, starts, lost disks, a second process and its death', async () => {
    const first = installation.host();
    let runner = new TaskRunner(countingTask(), first);
    let running = runner.run();
    await produceEvents(installation, 0, 3_000);
    await until('3,000 are out', async () => (await countOut(installation)) === 3_000);
    await runner.stop();
    await running;
    // Nothing was wrong: so nothing was taken over anew, which would be right as well, and slow.
    expect(await first.metrics.getSingleMetricAsString('tributary_task_failures_total')).not.toContain('code=');

    // Warm, from its own disk.
    runner = new TaskRunner(countingTask(), first);
    running = runner.run();
    await produceEvents(installation, 3_000, 1_000);
    await until('4,000 are out', async () => (await countOut(installation)) === 4_000);

    // A second process joins under load: partitions move, their state comes out of the changelog.
    const second = new TaskRunner(countingTask(), installation.host());
    const secondRunning = second.run();
    for (let at = 4_000; at < 7_000; at += 500) await produceEvents(installation, at, 500);
    await until('both work', () => second.notReady().length === 0 && runner.notReady().length === 0);
    await until('7,000 are out', async () => (await countOut(installation)) === 7_000);

    // The first leaves; a third with an empty disk comes.
    await runner.stop();
    await running;
    await produceEvents(installation, 7_000, 500);
    await second.stop();
    await secondRunning;
    const third = new TaskRunner(countingTask(), installation.host());
    const thirdRunning = third.run();
    await produceEvents(installation, 7_500, 500);
    await until('8,000 are out', async () => (await countOut(installation)) === 8_000);
    await third.stop();
    await thirdRunning;
    await expectEachOnce(installation, 8_000);

    const totals = (await accountingOf(installation)).filter(
      ({ task, topic }) => task === 'counter' && topic.endsWith('events.collected'),
    );
    expect(totals.reduce((sum, { taken }) => sum + taken, 0)).toBe(8_000);
    expect(totals.reduce((sum, { outcomes }) => sum + (outcomes.stitched ?? 0), 0)).toBe(8_000);
  });
});
