import { topics } from '#schemas/topics.ts';
import type { Connections } from '../../services/console/cli/connections.ts';
import { readTopic } from '../../services/console/cli/read-topic.ts';
import { untilStill } from './books-run.ts';
import { PersistentSenders } from './persistent-senders.ts';
import type { RunningPlatform } from './platform.ts';
import { until } from './until.ts';

/** So many are acknowledged before each kill. */
const BETWEEN = 500;
const WITHIN_MS = 180_000;

export interface KillReport {
  readonly acknowledged: number;
  /** Requests without an answer, and those that were told to come back. */
  readonly unanswered: number;
  readonly refused: number;
  /** Records of the senders' events, and those that were stored more than once. */
  readonly stored: number;
  readonly again: number;
  /** How long each took until it was ready again, milliseconds. */
  readonly back: readonly number[];
  readonly problems: readonly string[];
}

/** `kill -9`, again and again, each time after 500 more events were acknowledged and with others on their way; then looks whether all are there, and went on once. */
export async function killRounds(
  running: RunningPlatform,
  connections: Connections,
  victim: string,
  times: number,
): Promise<KillReport> {
  const name = `kill ${victim}`;
  const restarts = running.platform.units().find((unit) => unit.name === victim)?.restarts ?? 0;
  const duplicatesBefore = (await untilStill(connections)).duplicates;
  const senders = new PersistentSenders(name, () => connections.settings.collectorUrl, 'local-server');
  const moreAcknowledged = (): Promise<void> => {
    const before = senders.acknowledged.length;
    return until(
      'more are acknowledged',
      () => senders.acknowledged.length >= before + BETWEEN,
      WITHIN_MS,
      () => senders.refused.length,
    );
  };
  const back: number[] = [];
  for (let round = 1; round <= times; round++) {
    await moreAcknowledged();
    const began = performance.now();
    running.kill(victim);
    await running.restarted(victim, restarts + round);
    back.push(performance.now() - began);
  }
  await moreAcknowledged();
  await senders.stop();
  const { differences, duplicates } = await untilStill(connections);

  const idsIn = async (topic: typeof topics.eventsCollected | typeof topics.eventsStitched): Promise<string[]> => {
    const ids: string[] = [];
    await readTopic(await connections.home(), topic, (_, value: { readonly message_id: string } | null) => {
      if (value?.message_id.startsWith(name)) ids.push(value.message_id);
    });
    return ids;
  };
  const stored = await idsIn(topics.eventsCollected);
  const stitched = await idsIn(topics.eventsStitched);
  const distinct = new Set(stored).size;
  const again = stored.length - distinct;
  const problems = [...senders.wrongIn(stored), ...differences];
  if (stitched.length !== distinct || new Set(stitched).size !== distinct)
    problems.push(
      `${distinct} events are stored, ${stitched.length} went on, ${new Set(stitched).size} of them distinct`,
    );
  if (duplicates - duplicatesBefore !== again)
    problems.push(`${again} are there again, ${duplicates - duplicatesBefore} were dropped as duplicates`);
  return {
    acknowledged: senders.acknowledged.length,
    unanswered: senders.unanswered,
    refused: senders.refused.length,
    stored: stored.length,
    again,
    back,
    problems,
  };
}
