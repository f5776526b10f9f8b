import type { Accounting } from '#schemas/generated/records.ts';
import type { Input } from './task.ts';
import type { Workspace } from './workspace.ts';

/** Totals of one task's partition, by input topic; the empty topic counts what was put out, and what is in counted stores. */
export type Totals = ReadonlyMap<string, Accounting>;

/** Who counts. */
export interface Counter {
  readonly service: string;
  readonly task: string;
  readonly partition: number;
  readonly generation: number;
  /** Full topic names by input name. */
  readonly topicOf: (input: string) => string;
}

/** Offset to go on from, by full topic name, after these inputs. */
export function positionsAfter(inputs: readonly NextInput[], topicOf: (input: string) => string): Map<string, number> {
  const next = new Map<string, number>();
  for (const input of inputs) next.set(topicOf(input.input), input.next);
  return next;
}

/** An input that knows where its topic goes on: past markers and aborted records that follow it. */
export interface NextInput extends Input {
  readonly next: number;
}

/** The totals of a topic before its first input. */
export const noTotals = (topic: string, counter: Counter): Accounting => ({
  service: counter.service,
  task: counter.task,
  topic,
  partition: counter.partition,
  next: 0,
  taken: 0,
  outcomes: {},
  outputs: {},
  generation: counter.generation,
});

/** The totals as this batch changes them. */
export function totalsAfter(
  totals: Totals,
  work: Workspace,
  positions: ReadonlyMap<string, number>,
  counter: Counter,
): Accounting[] {
  const changed: Accounting[] = [];
  for (const [input, counts] of work.outcomes) {
    const topic = counter.topicOf(input);
    const before = totals.get(topic) ?? noTotals(topic, counter);
    const outcomes = { ...before.outcomes };
    let taken = before.taken;
    for (const [outcome, count] of counts) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
      taken += count;
    }
    changed.push({ ...before, next: positions.get(topic) ?? before.next, taken, outcomes });
  }
  if (work.emitted.length > 0 || work.grown.size > 0) {
    const before = totals.get('') ?? noTotals('', counter);
    const outputs = { ...before.outputs };
    for (const { output } of work.emitted) outputs[output] = (outputs[output] ?? 0) + 1;
    const outcomes = { ...before.outcomes };
    for (const [store, by] of work.grown) outcomes[store] = (outcomes[store] ?? 0) + by;
    changed.push({ ...before, outcomes, outputs });
  }
  return changed;
}
