import { setTimeout as sleep } from 'node:timers/promises';
import type { Ground, StartedService } from './ground.ts';
import { cpuOf, generateLoad } from './processes.ts';

/** One stage alone, with all of its input there before it starts. */
export interface StageFigures {
  readonly what: string;
  readonly events: number;
  /** From the first event to the last, and without the first third, when the code is still cold. */
  readonly eventsPerSecond: number;
  readonly warmEventsPerSecond: number;
  /** Microseconds an event, without the first third. */
  readonly cpu: { readonly process: number; readonly kafka: number };
}

export const INPUTS = 'tributary_task_inputs_total';
export const OUTPUTS = 'tributary_task_outputs_total';

/** The stitcher (resolver and linker) and then the projector, over the backlog that the collector has written. */
export async function benchStages(
  ground: Ground,
  kafkaPid: number,
  { events }: { readonly events: number },
): Promise<StageFigures[]> {
  const collector = await ground.start('collector');
  const port = ground.platform.platform.settings.collectorPort;
  const { accepted, refused } = await generateLoad({
    port,
    connections: 32,
    batch: 100,
    name: 'stages',
    firstPerson: 1_000_000,
    warmUpSeconds: 0,
    events,
  });
  if (refused > 0) throw new Error(`${refused} requests were refused`);
  await collector.stop();

  const stitcher = await ground.start('identity-stitcher');
  const stitched = await measure('stitcher', stitcher, kafkaPid, {
    total: accepted,
    done: () => stitcher.metric(INPUTS, 'task="resolver"', 'input="event"'),
    // The linker may come later: what it takes in is known only when the resolver is done.
    idle: async () =>
      (await stitcher.metric(INPUTS, 'task="linker"')) >= (await stitcher.metric(OUTPUTS, 'output="claim"')),
  });
  const changes = await stitcher.metric(OUTPUTS, 'task="linker"', 'output="change"');
  await stitcher.stop();

  const projector = await ground.start('profile-projector');
  const projected = await measure('projector', projector, kafkaPid, {
    total: accepted,
    done: () => projector.metric(INPUTS, 'input="event"'),
    idle: async () => (await projector.metric(INPUTS, 'input="change"')) >= changes,
  });
  await projector.stop();
  return [stitched, projected];
}

/** How fast a service takes what is there, from its first to its last. */
export async function measure(
  what: string,
  { pid }: StartedService,
  kafkaPid: number,
  progress: { readonly total: number; done(): Promise<number>; idle(): Promise<boolean> },
): Promise<StageFigures> {
  const look = async () => ({
    done: await progress.done(),
    at: performance.now(),
    process: cpuOf(pid),
    kafka: cpuOf(kafkaPid),
  });
  let first = await look();
  let third = first;
  let last = first;
  do {
    await sleep(50);
    last = await look();
    if (last.done === 0) first = last;
    if (last.done < progress.total / 3) third = last;
  } while (last.done < progress.total || !(await progress.idle()));
  const rate = (from: typeof last): number => ((last.done - from.done) / (last.at - from.at)) * 1_000;
  const each = (of: 'process' | 'kafka'): number => (last[of] - third[of]) / (last.done - third.done);
  return {
    what,
    events: progress.total,
    eventsPerSecond: rate(first),
    warmEventsPerSecond: rate(third),
    cpu: { process: each('process'), kafka: each('kafka') },
  };
}
