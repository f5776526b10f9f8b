import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Task } from './task.ts';
import type { Workspace } from './workspace.ts';

const SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/**
 * What the loop tells of itself. Labels are bounded: task, partition number, outcome and reason codes; and the generation, where it is not
 * the process's own.
 */
export class TaskMetrics {
  readonly #own: { readonly task: string; readonly generation?: number };
  readonly #generation: { readonly generation?: number };
  readonly #settled: Counter<'task' | 'input' | 'outcome' | 'generation'>;
  readonly #emitted: Counter<'task' | 'output' | 'generation'>;
  readonly #batches: Histogram<'task' | 'generation'>;
  readonly #transactions: Histogram<'task' | 'generation'>;
  readonly #takeovers: Histogram<'task' | 'generation'>;
  readonly #failures: Counter<'task' | 'code' | 'generation'>;
  readonly #running: Gauge<'task' | 'partition' | 'generation'>;
  readonly #stateBytes: Gauge<'task' | 'partition' | 'generation'>;
  /** By counted store, and by what else is counted. */
  readonly #kept = new Map<string, Gauge<'partition' | 'generation'>>();

  constructor(
    { name, stores, counts = {} }: Pick<Task, 'name' | 'stores' | 'counts'>,
    registry: Registry,
    beside?: number,
  ) {
    this.#generation = beside === undefined ? {} : { generation: beside };
    this.#own = { task: name, ...this.#generation };
    const registers = [registry];
    const existing = <T>(name: string, make: () => T): T => (registry.getSingleMetric(name) as T | undefined) ?? make();
    this.#settled = existing(
      'tributary_task_inputs_total',
      () =>
        new Counter({
          name: 'tributary_task_inputs_total',
          help: 'Inputs committed, by what became of them',
          labelNames: ['task', 'input', 'outcome', 'generation'],
          registers,
        }),
    );
    this.#emitted = existing(
      'tributary_task_outputs_total',
      () =>
        new Counter({
          name: 'tributary_task_outputs_total',
          help: 'Records put out',
          labelNames: ['task', 'output', 'generation'],
          registers,
        }),
    );
    this.#batches = existing(
      'tributary_task_batch_seconds',
      () =>
        new Histogram({
          name: 'tributary_task_batch_seconds',
          help: 'Time from taking a batch to its commit',
          labelNames: ['task', 'generation'],
          buckets: SECONDS,
          registers,
        }),
    );
    this.#transactions = existing(
      'tributary_task_transaction_seconds',
      () =>
        new Histogram({
          name: 'tributary_task_transaction_seconds',
          help: 'Time of a Kafka transaction',
          labelNames: ['task', 'generation'],
          buckets: SECONDS,
          registers,
        }),
    );
    this.#takeovers = existing(
      'tributary_task_takeover_seconds',
      () =>
        new Histogram({
          name: 'tributary_task_takeover_seconds',
          help: 'Time to take a partition over',
          labelNames: ['task', 'generation'],
          buckets: SECONDS,
          registers,
        }),
    );
    this.#failures = existing(
      'tributary_task_failures_total',
      () =>
        new Counter({
          name: 'tributary_task_failures_total',
          help: 'Failures after which a partition was taken over anew or let go',
          labelNames: ['task', 'code', 'generation'],
          registers,
        }),
    );
    this.#running = existing(
      'tributary_task_running',
      () =>
        new Gauge({
          name: 'tributary_task_running',
          help: '1 while the partition is being worked on here',
          labelNames: ['task', 'partition', 'generation'],
          registers,
        }),
    );
    this.#stateBytes = existing(
      'tributary_task_state_bytes',
      () =>
        new Gauge({
          name: 'tributary_task_state_bytes',
          help: 'Size on disk of the local state, as of a minute ago at most',
          labelNames: ['task', 'partition', 'generation'],
          registers,
        }),
    );
    const counted = Object.entries(stores).flatMap(([store, one]) =>
      one.counted ? [[store, one.counted] as const] : [],
    );
    for (const [key, told] of [...counted, ...Object.entries(counts)])
      this.#kept.set(
        key,
        existing(told.name, () => new Gauge({ ...told, labelNames: ['partition', 'generation'], registers })),
      );
  }

  settled(work: Workspace): void {
    for (const [input, counts] of work.outcomes) {
      for (const [outcome, count] of counts) this.#settled.inc({ ...this.#own, input, outcome }, count);
    }
    const outputs = new Map<string, number>();
    for (const { output } of work.emitted) outputs.set(output, (outputs.get(output) ?? 0) + 1);
    for (const [output, count] of outputs) this.#emitted.inc({ ...this.#own, output }, count);
  }

  batchDone(milliseconds: number): void {
    this.#batches.observe(this.#own, milliseconds / 1000);
  }

  committed(milliseconds: number): void {
    this.#transactions.observe(this.#own, milliseconds / 1000);
  }

  takenOver(partition: number, milliseconds: number): void {
    this.#takeovers.observe(this.#own, milliseconds / 1000);
    this.#running.set({ ...this.#own, partition }, 1);
  }

  stateBytes(partition: number, bytes: number): void {
    this.#stateBytes.set({ ...this.#own, partition }, bytes);
  }

  /** @param counts values of the counted stores, by store, and of what else is counted */
  kept(partition: number, counts: Readonly<Record<string, number>>): void {
    for (const [store, gauge] of this.#kept) gauge.set({ ...this.#generation, partition }, counts[store] ?? 0);
  }

  released(partition: number): void {
    for (const gauge of this.#kept.values()) gauge.remove({ ...this.#generation, partition });
    this.#stateBytes.remove({ ...this.#own, partition });
    this.#running.set({ ...this.#own, partition }, 0);
  }

  failed(code: string): void {
    this.#failures.inc({ ...this.#own, code });
  }
}
