import type { Accounting } from '#schemas/generated/records.ts';
import { deliveryTopic, movesTopic, topics } from '#schemas/topics.ts';

/** Rejected events of one stage and reason. */
export interface Rejections {
  readonly stage: string;
  readonly reason: string;
  readonly count: number;
}

/** What was counted, by whoever counted it. */
export interface Counts {
  readonly prefix: string;
  readonly generation: number;
  /** Records ever written to `events.collected`: what the collector has accepted. */
  readonly accepted: number;
  /** Newest totals of every task, topic and partition. */
  readonly accounting: readonly Omit<Accounting, 'next'>[];
  /** Records of `events.rejected` as the topic has them; undefined where nobody has read it. */
  readonly rejectedRecords?: readonly Rejections[] | undefined;
  readonly clickhouse: {
    readonly collected: number;
    readonly events: number;
    readonly rejected: readonly Rejections[];
    /** By outcome. */
    readonly deliveries: Readonly<Record<string, number>>;
  };
}

/** What became of everything that was accepted. */
export interface Balance {
  readonly accepted: number;
  readonly stitched: number;
  readonly duplicates: number;
  /** By stage and reason, also at the door: those were never accepted. */
  readonly rejected: readonly Rejections[];
  /** Dropped by a rule. */
  readonly dropped: number;
  readonly folded: number;
  readonly planned: number;
  readonly delivered: number;
  readonly suppressed: number;
  readonly dead: number;
  /** Where two counts of the same thing differ, in words. None: the books balance, and nothing is on its way. */
  readonly differences: readonly string[];
}

/** Adds the books up: accepted = stitched + duplicates + rejected + dropped, each counted where it happens and again in ClickHouse. */
export function balanceOf(counts: Counts): Balance {
  const { prefix, generation, clickhouse, accepted } = counts;
  const rows = counts.accounting.filter((row) => row.generation === generation);
  const taken = (task: string, topic: string): number =>
    sum(rows.filter((row) => row.task === task && row.topic === prefix + topic).map((row) => row.taken));
  const outcome = (name: string, task: string, topic: string): number =>
    sum(rows.filter((row) => row.task === task && row.topic === prefix + topic).map((row) => row.outcomes[name] ?? 0));
  const output = (name: string, task: string): number =>
    sum(rows.filter((row) => row.task === task && row.topic === '').map((row) => row.outputs[name] ?? 0));
  const differences: string[] = [];
  const same = (left: string, a: number, right: string, b: number): void => {
    if (a !== b) differences.push(`${left}: ${a}, ${right}: ${b}`);
  };

  const collected = topics.eventsCollected.name;
  const events = topics.eventsStitched.name;
  const [stitched, duplicates, rejectedByResolver, dropped] = ['stitched', 'duplicate', 'rejected', 'dropped'].map(
    (name) => outcome(name, 'resolver', collected),
  ) as [number, number, number, number];
  same('accepted', accepted, 'taken by resolver', taken('resolver', collected));
  same(
    'taken by resolver',
    taken('resolver', collected),
    'stitched, duplicates, rejected and dropped',
    stitched + duplicates + rejectedByResolver + dropped,
  );
  same('accepted', accepted, 'in ClickHouse', clickhouse.collected);
  same('stitched', stitched, 'put out by resolver', output('stitched', 'resolver'));
  same('stitched', stitched, 'events in ClickHouse', clickhouse.events);
  for (const { name, from, to, topic } of passages(generation))
    same(`${name} put out by ${from}`, output(name, from), `taken by ${to}`, taken(to, topic));

  for (const row of rows)
    if (row.topic !== '')
      same(
        `taken by ${row.task} from ${row.topic}/${row.partition}`,
        row.taken,
        'their outcomes',
        sum(Object.values(row.outcomes)),
      );

  const byTasks = sum(rows.map((row) => row.outcomes.rejected ?? 0));
  const furtherOn = ({ stage }: Rejections): boolean => stage !== 'collector';
  same('rejected by tasks', byTasks, 'in ClickHouse', total(clickhouse.rejected.filter(furtherOn)));
  for (const { stage, reason, count } of counts.rejectedRecords ?? []) {
    const there = clickhouse.rejected.filter((one) => one.stage === stage && one.reason === reason);
    same(`rejected by ${stage} for ${reason}`, count, 'in ClickHouse', total(there));
  }
  if (counts.rejectedRecords) {
    same('rejected in Kafka', total(counts.rejectedRecords), 'in ClickHouse', total(clickhouse.rejected));
    same('rejected by tasks', byTasks, 'in Kafka', total(counts.rejectedRecords.filter(furtherOn)));
  }

  const destinations = new Set([
    ...rows.filter(({ task }) => task === 'planner').flatMap(({ outputs }) => Object.keys(outputs)),
    ...rows.flatMap(({ task }) => (task.startsWith(SENDER) ? [task.slice(SENDER.length)] : [])),
  ]);
  const settled = (name: string): number =>
    sum([...destinations].map((destination) => outcome(name, SENDER + destination, deliveryTopic(destination).name)));
  for (const destination of [...destinations].sort())
    same(
      `planned for ${destination}`,
      output(destination, 'planner'),
      'taken by its sender',
      taken(SENDER + destination, deliveryTopic(destination).name),
    );
  const [delivered, suppressed, dead] = ['delivered', 'suppressed', 'dead'].map((name) => {
    same(name, settled(name), 'in ClickHouse', clickhouse.deliveries[name] ?? 0);
    return settled(name);
  }) as [number, number, number];

  return {
    accepted,
    stitched,
    duplicates,
    rejected: counts.rejectedRecords ?? clickhouse.rejected,
    dropped,
    // What arrived too late for its profile is folded elsewhere, once its move has been taken in.
    folded: outcome('folded', 'projector', events) + outcome('passed_on', 'projector', events),
    planned: sum([...destinations].map((destination) => output(destination, 'planner'))),
    delivered,
    suppressed,
    dead,
    differences,
  };
}

const SENDER = 'sender-';

/** What one task puts out and another must have taken in. */
const passages = (generation: number) => [
  { name: 'stitched', from: 'resolver', to: 'projector', topic: topics.eventsStitched.name },
  { name: 'stitched', from: 'resolver', to: 'planner', topic: topics.eventsStitched.name },
  { name: 'claim', from: 'resolver', to: 'linker', topic: topics.identityClaims.name },
  { name: 'mapping', from: 'linker', to: 'resolver', topic: topics.identityMappings.name },
  { name: 'change', from: 'linker', to: 'projector', topic: topics.identityChanges.name },
  { name: 'move', from: 'projector', to: 'projector', topic: movesTopic(generation).name },
];

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const total = (rejections: readonly Rejections[]): number => sum(rejections.map(({ count }) => count));
