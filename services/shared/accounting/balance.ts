import type { Accounting } from '#schemas/generated/records.ts';
import { deliveryTopic, fillsTopic, movesTopic, topics } from '#schemas/topics.ts';

/** Rejected events of one stage and reason. */
export interface Rejections {
  readonly stage: string;
  readonly reason: string;
  readonly count: number;
}

/** The name of ClickHouse among the readers of topics; the others are tasks. */
export const CLICKHOUSE = 'ClickHouse';

/** Who reads which topic (without the installation's prefix). */
export interface Reading {
  readonly reader: string;
  readonly topic: string;
}

/** How a topic is for one that counted fewer of its records than were written. */
export interface ReadingState extends Reading {
  /** Retention or compaction may have taken records away before they were read. */
  readonly isIncomplete: boolean;
  /** The log holds records that are not read yet. */
  readonly isBehind: boolean;
}

/** What was counted, by whoever counted it. */
export interface Counts {
  readonly prefix: string;
  readonly generation: number;
  /** Records ever written to `events.collected`: what the collector has accepted. */
  readonly accepted: number;
  /** Newest totals of every task, topic and partition. */
  readonly accounting: readonly Omit<Accounting, 'next'>[];
  /** Records of `events.rejected` as the topic has them, all or what has not expired; undefined where nobody has read it. */
  readonly rejectedRecords?: readonly Rejections[] | undefined;
  readonly haveRejectedExpired?: boolean;
  /** The generation that speaks to all, where that is another one. */
  readonly live?: number | undefined;
  /** Where counts differ, how that reader stands; what is not told of counts as complete and read. */
  readonly readings?: readonly ReadingState[];
  readonly clickhouse: {
    readonly collected: number;
    readonly events: number;
    /** Sum of the events of all profiles. */
    readonly profileEvents: number;
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
  /** By the generation that speaks to all; what it was rebuilt from, too. */
  readonly folded: number;
  /** Of those, what expired with its profile. */
  readonly forgotten: number;
  readonly planned: number;
  readonly delivered: number;
  readonly suppressed: number;
  readonly dead: number;
  /** Requests that wait in the planner, not yet among those planned: they are for profiles in quarantine. */
  readonly held: number;
  /** Profiles that the planner knows to be in quarantine. */
  readonly quarantined: number;
  /** Where two counts of the same thing differ, in words. None: the books balance, and nothing is on its way. */
  readonly differences: readonly string[];
  /** Those that what retention or compaction took away explains: the reader has read all that is left. */
  readonly expired: readonly string[];
  /** Who counted fewer records than were written, each once. */
  readonly short: readonly Reading[];
}

/** Adds the books up: accepted = stitched + duplicates + rejected + dropped, each counted where it happens and again in ClickHouse. */
export function balanceOf(counts: Counts): Balance {
  const { prefix, generation, clickhouse, accepted } = counts;
  const rows = counts.accounting.filter((row) => row.generation === generation);
  const taken = (task: string, topic: string): number =>
    sum(rows.filter((row) => row.task === task && row.topic === prefix + topic).map((row) => row.taken));
  const outcome = (name: string, task: string, topic: string): number =>
    sum(rows.filter((row) => row.task === task && row.topic === prefix + topic).map((row) => row.outcomes[name] ?? 0));
  const outputOf = (from: typeof counts.accounting, name: string, task: string): number =>
    sum(from.filter((row) => row.task === task && row.topic === '').map((row) => row.outputs[name] ?? 0));
  const output = (name: string, task: string): number => outputOf(rows, name, task);
  /** Values in a counted store. */
  const kept = (store: string, task: string): number =>
    sum(rows.filter((row) => row.task === task && row.topic === '').map((row) => row.outcomes[store] ?? 0));
  const differences: string[] = [];
  const expired: string[] = [];
  const short = new Map<string, Reading>();
  const same = (left: string, a: number, right: string, b: number): void => {
    if (a !== b) differences.push(`${left}: ${a}, ${right}: ${b}`);
  };
  /** As many were written to a topic as were read from it. */
  const passed = (left: string, a: number, right: string, b: number, reader: string, topic: string): void => {
    if (a > b) short.set(`${reader} ${topic}`, { reader, topic });
    const state = counts.readings?.find((one) => one.reader === reader && one.topic === topic);
    if (a > b && state?.isIncomplete && !state.isBehind) expired.push(`${left}: ${a}, ${right}: ${b}`);
    else same(left, a, right, b);
  };
  const inClickHouse = (left: string, a: number, b: number, topic: string, right = 'in ClickHouse'): void =>
    passed(left, a, right, b, CLICKHOUSE, topic);

  const collected = topics.eventsCollected.name;
  const events = topics.eventsStitched.name;
  const [stitched, duplicates, rejectedByResolver, dropped] = ['stitched', 'duplicate', 'rejected', 'dropped'].map(
    (name) => outcome(name, 'resolver', collected),
  ) as [number, number, number, number];
  passed('accepted', accepted, 'taken by resolver', taken('resolver', collected), 'resolver', collected);
  same(
    'taken by resolver',
    taken('resolver', collected),
    'stitched, duplicates, rejected and dropped',
    stitched + duplicates + rejectedByResolver + dropped,
  );
  inClickHouse('accepted', accepted, clickhouse.collected, collected);
  same('stitched', stitched, 'put out by resolver', output('stitched', 'resolver'));
  inClickHouse('stitched', stitched, clickhouse.events, events, 'events in ClickHouse');
  for (const { name, from, to, topic, others, isByAll } of passages(generation)) {
    const fromOthers = others === undefined ? 0 : outcome(others, to, topic);
    passed(
      `${name} put out by ${from}`,
      outputOf(isByAll ? counts.accounting : rows, name, from),
      `taken by ${to}`,
      taken(to, topic) - fromOthers,
      to,
      topic,
    );
  }

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
  inClickHouse('rejected by tasks', byTasks, total(clickhouse.rejected.filter(furtherOn)), topics.eventsRejected.name);
  /** What the topic has: all that there ever was, or the rest that has not expired. */
  const among = (left: string, a: number, right: string, b: number): void => {
    if (!counts.haveRejectedExpired || a > b) same(left, a, right, b);
  };
  for (const { stage, reason, count } of counts.rejectedRecords ?? []) {
    const there = clickhouse.rejected.filter((one) => one.stage === stage && one.reason === reason);
    among(`rejected by ${stage} for ${reason}`, count, 'in ClickHouse', total(there));
  }
  if (counts.rejectedRecords) {
    among('rejected in Kafka', total(counts.rejectedRecords), 'in ClickHouse', total(clickhouse.rejected));
    among('rejected in Kafka', total(counts.rejectedRecords.filter(furtherOn)), 'by tasks', byTasks);
  }

  const destinations = new Set([
    ...rows.filter(({ task }) => task === 'planner').flatMap(({ outputs }) => Object.keys(outputs)),
    ...rows.flatMap(({ task }) => (task.startsWith(SENDER) ? [task.slice(SENDER.length)] : [])),
  ]);
  const webhooks = [...new Set(rows.flatMap(({ task }) => (task.startsWith(WEBHOOK) ? [task] : [])))];
  const settled = (name: string): number =>
    sum([...destinations].map((destination) => outcome(name, SENDER + destination, deliveryTopic(destination).name))) +
    sum(webhooks.map((webhook) => outcome(name, webhook, topics.profiles.name)));
  for (const destination of [...destinations].sort()) {
    const [sender, topic] = [SENDER + destination, deliveryTopic(destination).name];
    const planned = output(destination, 'planner');
    passed(`planned for ${destination}`, planned, 'taken by its sender', taken(sender, topic), sender, topic);
  }
  const [delivered, suppressed, dead] = ['delivered', 'suppressed', 'dead'].map((name) => {
    inClickHouse(name, settled(name), clickhouse.deliveries[name] ?? 0, topics.deliveries.name);
    return settled(name);
  }) as [number, number, number];
  // What arrived too late for its profile is folded elsewhere, once its move has been taken in.
  const live = counts.accounting.filter((row) => row.generation === (counts.live ?? generation));
  const ofProjector = (topic: string): typeof live =>
    live.filter((row) => row.task === 'projector' && row.topic === (topic && prefix + topic));
  const told = (name: string, topic: string): number => sum(ofProjector(topic).map((row) => row.outcomes[name] ?? 0));
  const folded = told('folded', events) + told('passed_on', events) + told('filled_events', '');
  const forgotten = told('forgotten_events', '');
  const left = forgotten === 0 ? 'folded' : 'folded and not expired';
  same(left, folded - forgotten, 'events of all profiles in ClickHouse', clickhouse.profileEvents);

  return {
    accepted,
    stitched,
    duplicates,
    rejected: clickhouse.rejected,
    dropped,
    folded,
    forgotten,
    planned: sum([...destinations].map((destination) => output(destination, 'planner'))),
    delivered,
    suppressed,
    dead,
    held: kept('held', 'planner'),
    quarantined: kept('quarantine', 'planner'),
    differences,
    expired,
    short: [...short.values()],
  };
}

const SENDER = 'sender-';
/** They follow the feed: nobody plans for them. */
const WEBHOOK = 'webhook-';

interface Passage {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly topic: string;
  /** Outcome of what did not come from there. */
  readonly others?: string;
  /** Each generation puts something there while it speaks to all. */
  readonly isByAll?: true;
}

/** What one task puts out and another must have taken in. */
const passages = (generation: number): Passage[] => [
  { name: 'stitched', from: 'resolver', to: 'projector', topic: topics.eventsStitched.name },
  { name: 'stitched', from: 'resolver', to: 'planner', topic: topics.eventsStitched.name },
  { name: 'claim', from: 'resolver', to: 'linker', topic: topics.identityClaims.name, others: 'decision' },
  { name: 'mapping', from: 'linker', to: 'resolver', topic: topics.identityMappings.name, isByAll: true },
  { name: 'change', from: 'linker', to: 'projector', topic: topics.identityChanges.name, isByAll: true },
  { name: 'change', from: 'linker', to: 'planner', topic: topics.identityChanges.name, isByAll: true },
  { name: 'move', from: 'projector', to: 'projector', topic: movesTopic(generation).name },
  { name: 'expiry', from: 'projector', to: 'projector', topic: topics.profileExpiries.name, isByAll: true },
  { name: 'fill', from: 'backfill', to: 'projector', topic: fillsTopic(generation).name },
];

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const total = (rejections: readonly Rejections[]): number => sum(rejections.map(({ count }) => count));
