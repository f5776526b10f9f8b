import type { Accounting } from '#schemas/generated/records.ts';
import { deliveryTopic, fillsTopic, movesTopic, topics } from '#schemas/topics.ts';

/** What became of everything, by whoever counted it. */
export interface Books {
  /** Records that the collector acknowledged and did not reject: the length of `events.collected`. */
  readonly collected: number;
  /** Records of `events.rejected`, by `stage: reason`. */
  readonly rejected: ReadonlyMap<string, number>;
  /** Records of `deliveries` about one destination, by outcome. */
  readonly deliveries: ReadonlyMap<string, number>;
  /** Newest totals of every task, topic and partition. */
  readonly accounting: readonly Accounting[];
}

export interface BooksOptions {
  readonly prefix: string;
  readonly generation: number;
  readonly destinations: readonly string[];
}

/** What a task put out under one name, and the task that must have taken it all in. */
interface Passage {
  readonly from: string;
  readonly output: string;
  readonly to: string;
  readonly topic: string;
  /** Outcome there of what came from somebody else. */
  readonly others?: string;
}

export const takenBy = ({ accounting }: Books, task: string, topic: string): number =>
  sum(accounting.filter((one) => one.task === task && one.topic === topic).map(({ taken }) => taken));

export const putOutBy = ({ accounting }: Books, task: string, output: string): number =>
  sum(accounting.filter((one) => one.task === task && one.topic === '').map(({ outputs }) => outputs[output] ?? 0));

/** What became of the records of one topic in one task. */
export function outcomesOf({ accounting }: Books, task: string, topic: string): Readonly<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  for (const one of accounting) {
    if (one.task !== task || one.topic !== topic) continue;
    for (const [outcome, count] of Object.entries(one.outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }
  return outcomes;
}

export const rejectedAt = ({ rejected }: Books, stage: string): number =>
  sum([...rejected].filter(([place]) => place.startsWith(`${stage}: `)).map(([, count]) => count));

/**
 * Where the books do not balance, in words; none when they do. Then nothing is on its way either: all that one task put out,
 * the next has taken in.
 */
export function differences(books: Books, { prefix, generation, destinations }: BooksOptions): string[] {
  const found: string[] = [];
  const same = (left: string, a: number, right: string, b: number): void => {
    if (a !== b) found.push(`${left}: ${a}, ${right}: ${b}`);
  };
  const eventsCollected = prefix + topics.eventsCollected.name;
  same('collected', books.collected, 'taken by the resolver', takenBy(books, 'resolver', eventsCollected));
  same(
    'stitched',
    outcomesOf(books, 'resolver', eventsCollected).stitched ?? 0,
    'put out by the resolver',
    putOutBy(books, 'resolver', 'stitched'),
  );
  for (const { from, output, to, topic, others } of passages(generation, destinations)) {
    const fromOthers = others === undefined ? 0 : (outcomesOf(books, to, prefix + topic)[others] ?? 0);
    same(
      `${output} put out by ${from}`,
      putOutBy(books, from, output),
      `taken by ${to}`,
      takenBy(books, to, prefix + topic) - fromOthers,
    );
  }
  for (const one of books.accounting) {
    if (one.topic === '') continue;
    const place = `${one.task} ${one.topic}/${one.partition}`;
    same(`taken by ${place}`, one.taken, 'outcomes', sum(Object.values(one.outcomes)));
  }
  const byTasks = sum(books.accounting.map(({ outcomes }) => outcomes.rejected ?? 0));
  const downstream = sum([...books.rejected.values()]) - rejectedAt(books, 'collector');
  same('rejected by tasks', byTasks, 'in events.rejected', downstream);
  const taken = sum(destinations.map((name) => takenBy(books, `sender-${name}`, prefix + deliveryTopic(name).name)));
  const refused = sum(
    destinations.map((name) => outcomesOf(books, `sender-${name}`, prefix + deliveryTopic(name).name).rejected ?? 0),
  );
  same('deliveries asked for', taken - refused, 'in the ledger', sum([...books.deliveries.values()]));
  return found;
}

function passages(generation: number, destinations: readonly string[]): Passage[] {
  const moves = movesTopic(generation).name;
  return [
    { from: 'resolver', output: 'stitched', to: 'projector', topic: topics.eventsStitched.name },
    { from: 'resolver', output: 'claim', to: 'linker', topic: topics.identityClaims.name, others: 'decision' },
    { from: 'linker', output: 'mapping', to: 'resolver', topic: topics.identityMappings.name },
    { from: 'linker', output: 'change', to: 'projector', topic: topics.identityChanges.name },
    { from: 'linker', output: 'change', to: 'planner', topic: topics.identityChanges.name },
    { from: 'projector', output: 'move', to: 'projector', topic: moves },
    { from: 'projector', output: 'expiry', to: 'projector', topic: topics.profileExpiries.name },
    { from: 'backfill', output: 'fill', to: 'projector', topic: fillsTopic(generation).name },
    { from: 'resolver', output: 'stitched', to: 'planner', topic: topics.eventsStitched.name },
    ...destinations.map((name) => ({
      from: 'planner',
      output: name,
      to: `sender-${name}`,
      topic: deliveryTopic(name).name,
    })),
  ];
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
